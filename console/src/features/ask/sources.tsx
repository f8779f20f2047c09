import { useState } from 'react';

import type { Citation } from '@/lib/api/types';
import { day } from '@/lib/format';
import { Badge } from '@/ui/badge';
import { Button } from '@/ui/button';

import styles from './answer.module.css';
import { byNumber, placeOf } from './citing';

const FEW = 5;

/** The passages that an answer rests on: whose they are, as of when, and whether they still hold. */
export function Sources({
  citations,
  onOpen,
}: {
  readonly citations: readonly Citation[];
  readonly onOpen: (citation: Citation) => void;
}) {
  const [all, setAll] = useState(false);
  const sources = byNumber(citations);
  const shown = all ? sources : sources.slice(0, FEW);
  return (
    <section className={styles.sources}>
      <h3 className={styles.small}>Sources</h3>
      <ol>
        {shown.map((own) => (
          <Source key={own[0]?.number} citations={own} onOpen={onOpen} />
        ))}
      </ol>
      {shown.length < sources.length && (
        <Button look="quiet" small onClick={() => setAll(true)}>
          All {sources.length} sources
        </Button>
      )}
    </section>
  );
}

function Source({
  citations,
  onOpen,
}: {
  readonly citations: readonly Citation[];
  readonly onOpen: (citation: Citation) => void;
}) {
  const [citation] = citations;
  if (citation === undefined) return null;
  const quotes = [...new Set(citations.map((each) => each.quote))].slice(0, 3);
  const place = placeOf(citation);
  return (
    <li>
      <button type="button" className={styles.source} onClick={() => onOpen(citation)}>
        <span className={styles.number} aria-hidden="true">
          {citation.number}
        </span>
        <span className={styles.about}>
          <span className={styles.title}>
            {citation.document_title}
            {place !== '' && <span className={styles.fine}> {place}</span>}
          </span>
          <span className={styles.known}>
            <span>{citation.document_id.split('/')[0]}</span>
            {citation.owner !== null && <span>{citation.owner}</span>}
            {citation.effective !== null &&
              (citation.standing === 'future' ? (
                <Badge tone="warn">not in force before {day(citation.effective)}</Badge>
              ) : (
                <span>as of {day(citation.effective)}</span>
              ))}
            {citation.standing === 'superseded' && <Badge tone="warn">{superseded(citation)}</Badge>}
            {citation.review_due ? (
              <Badge tone="warn">review was due on {day(citation.review_by)}</Badge>
            ) : (
              citation.review_by !== null && <span>review by {day(citation.review_by)}</span>
            )}
          </span>
          {quotes.map((quote) => (
            <q key={quote} dir="auto">
              {quote}
            </q>
          ))}
        </span>
      </button>
    </li>
  );
}

function superseded({ superseded_since: since, superseded_by: by }: Citation): string {
  return `superseded${since === null ? '' : ` since ${day(since)}`}${by === null ? '' : ` by “${by}”`}`;
}
