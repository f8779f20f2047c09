import { Telescope } from 'lucide-react';
import type { ReactNode } from 'react';

import type { Answer } from '@/lib/api/types';
import { day } from '@/lib/format';

import type { Place } from './answer-view';
import styles from './answer.module.css';

export interface BeyondProps {
  readonly answer: Answer;
  readonly onOpen: (place: Place) => void;
  readonly children: ReactNode;
}

/** No answer, said plainly: that the documents don't hold it, and which of them come nearest. */
export function Beyond({ answer, onOpen, children }: BeyondProps) {
  return (
    <section className={styles.beyond} aria-label="Beyond my ken">
      <p className={styles.beyondTitle}>
        <Telescope aria-hidden="true" />
        {answer.outcome === 'refused' ? 'Not answered' : 'Beyond my ken'}
      </p>
      {children}
      {answer.nearest.length > 0 && (
        <>
          <h4 className={styles.small}>The nearest documents</h4>
          <ul className={styles.nearest}>
            {answer.nearest.map((document) => (
              <li key={document.id}>
                <button
                  type="button"
                  onClick={() => onOpen({ documentId: document.id, start: 0, end: 0, page: null, version: null })}
                >
                  <span>{document.title}</span>
                  <span className={styles.fine}>
                    {[
                      document.collection,
                      document.owner,
                      document.effective === null ? null : `as of ${day(document.effective)}`,
                    ]
                      .filter((each) => each !== null)
                      .join(' · ')}
                  </span>
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
