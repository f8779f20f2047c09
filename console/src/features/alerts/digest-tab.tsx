import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';

import { api, unwrap } from '@/lib/api/client';
import { CopyButton } from '@/ui/copy-button';
import { TextField } from '@/ui/field';
import { Panel } from '@/ui/page';
import { Loaded, Skeleton } from '@/ui/states';
import { Tabs } from '@/ui/tabs';

import { DigestPage } from './digest-page';
import styles from './digest-tab.module.css';

const route = getRouteApi('/alerts');
const DAY_MS = 86_400_000;

/** A day's digest as it is sent: as a page, and as text. */
export function DigestTab({ day }: { readonly day: string | undefined }) {
  const navigate = route.useNavigate();
  const [form, setForm] = useState<'html' | 'markdown'>('html');
  const [today] = useState(() => isoDay(Date.now()));
  const shown = day ?? isoDay(Date.parse(today) - DAY_MS);
  const query = useQuery({
    queryKey: ['/api/digest', shown, form],
    queryFn: ({ signal }) =>
      unwrap<string>(api.GET('/api/digest', { params: { query: { day: shown, form } }, parseAs: 'text', signal })),
  });
  return (
    <Panel
      title="The daily digest"
      actions={
        <TextField
          label="Day (UTC)"
          type="date"
          max={today}
          value={shown}
          onChange={(event) => {
            if (event.target.value !== '')
              void navigate({ search: { tab: 'digest', day: event.target.value }, replace: true });
          }}
        />
      }
    >
      <p className={styles.told}>
        Each morning the day before is told as one story.{' '}
        {shown === today && 'Today isn’t over: this is how far it has come.'}
      </p>
      <Tabs
        label="How it is shown"
        tabs={[
          { id: 'html', label: 'As a page' },
          { id: 'markdown', label: 'As text' },
        ]}
        selected={form}
        onSelect={setForm}
      >
        <Loaded query={query} failed="The digest can't be shown" skeleton={<Skeleton height="30rem" />}>
          {(text) =>
            form === 'html' ? (
              <DigestPage html={text} />
            ) : (
              <div className={styles.text}>
                <CopyButton text={text} label="Copy text" />
                {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must take the focus */}
                <pre tabIndex={0} role="region" aria-label="The digest as text">
                  {text}
                </pre>
              </div>
            )
          }
        </Loaded>
      </Tabs>
    </Panel>
  );
}

function isoDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
