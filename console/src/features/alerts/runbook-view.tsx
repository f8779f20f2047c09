import { lazy, Suspense, useState } from 'react';

import { Skeleton } from '@/ui/states';

import styles from './runbook-view.module.css';

const GUIDE = 'docs/guides/alerts.md';
// The guide, and what shows Markdown, come when somebody wants to read them.
const GuideView = lazy(() => import('./guide-view').then((module) => ({ default: module.GuideView })));

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
      {isOpen && (
        <Suspense fallback={<Skeleton height="10rem" />}>
          <GuideView section={section} />
        </Suspense>
      )}
    </details>
  );
}
