import type { Citation, Shape } from '@/lib/api/types';
import { day } from '@/lib/format';

import styles from './answer.module.css';

/** Statements that can't both hold, side by side, the newer document's first. */
export function Conflicts({
  conflicts,
  onOpen,
}: {
  readonly conflicts: readonly Shape<'ConflictShape'>[];
  readonly onOpen: (citation: Citation) => void;
}) {
  return (
    <section className={styles.conflicts} aria-label="Where the documents disagree">
      {conflicts.map((conflict, index) => (
        <div key={index} className={styles.sides}>
          {conflict.citations.map((citation, side) => (
            <button key={side} type="button" className={styles.side} onClick={() => onOpen(citation)}>
              <strong>{conflict.values[side] ?? ''}</strong>
              <q dir="auto">{citation.quote}</q>
              <span className={styles.fine}>
                {citation.document_title}
                {citation.effective !== null && `, as of ${day(citation.effective)}`}
              </span>
            </button>
          ))}
        </div>
      ))}
    </section>
  );
}
