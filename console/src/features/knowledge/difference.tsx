import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { apiQuery } from '@/lib/api/client';
import { count } from '@/lib/format';
import { Button } from '@/ui/button';
import { Loaded } from '@/ui/states';
import { useState } from 'react';

import { DocumentLink } from './document-link';
import styles from './knowledge.module.css';
import { TextDifference } from './text-difference';

export interface DifferenceProps {
  readonly older: number;
  readonly newer: number;
  /** The changed document whose text is compared. */
  readonly document: string | undefined;
}

const AT_ONCE = 50;

/** The documents that came, changed and went from one corpus version to another. */
export function Difference({ older, newer, document }: DifferenceProps) {
  const difference = useQuery(apiQuery('/api/index/difference', { params: { query: { old: older, new: newer } } }));
  if (older === newer) return <p className={styles.soft}>These are the same version. Choose another one.</p>;
  return (
    <Loaded query={difference} failed="These versions can't be compared">
      {({ added, changed, removed }) => (
        <div className={styles.stack}>
          {added.length + changed.length + removed.length === 0 && <p>The documents of both versions are the same.</p>}
          <Documents title="Changed" ids={changed}>
            {(id) => (
              <>
                <div className={`${styles.row} ${styles.spread}`}>
                  <DocumentLink id={id} />
                  <Link
                    to="/knowledge"
                    search={{ tab: 'snapshots', old: older, new: newer, ...(document === id ? {} : { document: id }) }}
                    resetScroll={false}
                    aria-expanded={document === id}
                  >
                    {document === id ? 'Hide the changes' : 'Show the changes'}
                  </Link>
                </div>
                {document === id && <TextDifference document={id} older={older} newer={newer} />}
              </>
            )}
          </Documents>
          <Documents title="Added" ids={added}>
            {(id) => <DocumentLink id={id} />}
          </Documents>
          <Documents title="Removed" ids={removed}>
            {(id) => id}
          </Documents>
        </div>
      )}
    </Loaded>
  );
}

interface DocumentsProps {
  readonly title: string;
  readonly ids: readonly string[];
  readonly children: (id: string) => React.ReactNode;
}

function Documents({ title, ids, children }: DocumentsProps) {
  const [shown, setShown] = useState(AT_ONCE);
  if (ids.length === 0) return null;
  return (
    <section aria-label={title}>
      <h3>
        {title} ({count(ids.length)})
      </h3>
      <ul className={styles.list}>
        {ids.slice(0, shown).map((id) => (
          <li key={id}>{children(id)}</li>
        ))}
      </ul>
      {ids.length > shown && <Button onClick={() => setShown(shown + AT_ONCE)}>Show more</Button>}
    </section>
  );
}
