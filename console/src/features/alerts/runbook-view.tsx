import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { Prose } from '@/ui/prose';
import { Loaded } from '@/ui/states';

import styles from './runbook-view.module.css';
import { sectionOf } from './guide-section';

const GUIDE = 'docs/guides/alerts.md';

/** What to do about an alert: the section of the guide that its rule names, where that is Ken's own; else its address. */
export function Runbook({ path }: { readonly path: string }) {
  const [isOpen, setIsOpen] = useState(false);
  if (path === '') return null;
  if (/^https?:\/\//.test(path)) {
    return (
      <p>
        <a href={path} rel="noreferrer" target="_blank">
          What to do
        </a>
      </p>
    );
  }
  const [file, section = ''] = path.split('#');
  if (file !== GUIDE) {
    return (
      <p>
        What to do: <code>{path}</code>
      </p>
    );
  }
  return (
    <details className={styles.runbook} onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>What to do</summary>
      {isOpen && <Section name={section} />}
    </details>
  );
}

function Section({ name }: { readonly name: string }) {
  const guide = useQuery({
    queryKey: ['the guide to alerts'],
    queryFn: () => import('../../../../docs/guides/alerts.md?raw').then((module) => module.default),
    staleTime: Infinity,
  });
  return (
    <Loaded query={guide} failed="The guide can't be shown">
      {(text) => (
        <div className={styles.text}>
          <Prose source={sectionOf(text, name)} headingShift={2} />
        </div>
      )}
    </Loaded>
  );
}
