import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Trash2 } from 'lucide-react';
import { useState } from 'react';

import { apiQuery } from '@/lib/api/client';
import { count, moment } from '@/lib/format';
import { Badge } from '@/ui/badge';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { Facts } from '@/ui/page';
import { Loaded, Skeleton } from '@/ui/states';

import { DropConfirm } from './cache-drop';
import styles from './cache-entry-dialog.module.css';
import { whyValid } from './cache-words';
import type { OpenedEntry } from './types';

export interface CacheEntryDialogProps {
  /** Of the answer; null while none is open. */
  readonly id: number | null;
  readonly onClose: () => void;
}

/** A cached answer: what would be given, why it may be, and what it rests on. */
export function CacheEntryDialog({ id, onClose }: CacheEntryDialogProps) {
  const [isDropping, setDropping] = useState(false);
  const options = apiQuery('/api/gateway/cache/entries/{entry}', { params: { path: { entry: id ?? 0 } } });
  const found = useQuery({ ...options, enabled: id !== null });
  return (
    <>
      <Dialog
        wide
        open={id !== null && !isDropping}
        title="A cached answer"
        onClose={() => {
          if (!isDropping) onClose();
        }}
        actions={
          found.data !== undefined && (
            <Button look="danger" icon={<Trash2 />} onClick={() => setDropping(true)}>
              Drop it
            </Button>
          )
        }
      >
        <Loaded query={found} failed="This answer can't be shown" skeleton={<Skeleton height="16rem" />}>
          {(entry) => <Opened entry={entry} />}
        </Loaded>
      </Dialog>
      <DropConfirm
        dropping={isDropping && found.data !== undefined ? { entry: found.data } : null}
        onClose={() => setDropping(false)}
        onDropped={onClose}
      />
    </>
  );
}

function Opened({ entry }: { readonly entry: OpenedEntry }) {
  const [now] = useState(() => Date.now() / 1000);
  return (
    <div className={styles.entry}>
      <p className={styles.question}>{entry.question}</p>
      <blockquote className={styles.answer}>
        {entry.text ?? 'Its text is in Redis, which has lost it or is away.'}
      </blockquote>
      <section>
        <h3>Why it may be given again</h3>
        <ul className={styles.why}>
          {whyValid(entry, now).map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      </section>
      <section>
        <h3>What it rests on</h3>
        <ul className={styles.documents}>
          {entry.rests_on.map((each) => {
            const citation = entry.citations.find(({ document_id: document }) => document === each.document_id);
            return (
              <li key={each.document_id}>
                <Link
                  to="/documents/$"
                  params={{ _splat: each.document_id }}
                  search={citation === undefined ? {} : { start: citation.start, end: citation.end }}
                >
                  {citation?.document_title ?? each.document_id}
                </Link>
                {each.cited ? <Badge tone="accent">cited</Badge> : <Badge>read</Badge>}
              </li>
            );
          })}
        </ul>
      </section>
      <Facts
        facts={[
          ['Given again', `${count(entry.uses)} times`],
          ['Made', moment(entry.made_at)],
          ['Last given', entry.uses === 0 ? 'not yet' : moment(entry.used_at)],
          ['Category', entry.category],
          ['Written by', entry.model],
          ['Corpus version', count(entry.corpus_version)],
          [
            'First asked in',
            <Link key="trace" to="/traces/$traceId" params={{ traceId: entry.trace_id }}>
              its trace
            </Link>,
          ],
        ]}
      />
    </div>
  );
}
