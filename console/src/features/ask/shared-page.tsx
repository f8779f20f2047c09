import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import { apiQuery } from '@/lib/api/client';
import { moment } from '@/lib/format';
import { CopyButton } from '@/ui/copy-button';
import { classNames } from '@/ui/class-names';
import { Loaded, Skeleton } from '@/ui/states';

import answerStyles from './answer.module.css';
import { AnswerView, type Place } from './answer-view';
import styles from './ask-page.module.css';
import { asMarkdown } from './citing';
import { DocumentAside } from './document-aside';
import type { DocumentSlot } from './document-slot';
import { exchangesOf } from './exchange';
import { QuestionView } from './question-view';

export interface SharedPageProps {
  readonly shareId: string;
  readonly DocumentPanel: DocumentSlot;
}

/** A conversation that somebody shares, to be read. */
export function SharedPage({ shareId, DocumentPanel }: SharedPageProps) {
  const [place, setPlace] = useState<Place | null>(null);
  const query = useQuery(apiQuery('/api/shares/{share_id}', { params: { path: { share_id: shareId } } }));
  return (
    <div className={classNames(styles.reading, place !== null && styles.readingBeside)}>
      <div className={styles.shared}>
        <Loaded query={query} failed="This conversation can't be shown" skeleton={<Skeleton lines={8} />}>
          {(share) => (
            <>
              <h1 dir="auto">{share.title}</h1>
              <p className={styles.fine}>
                Shared by {share.owner}, as of {moment(share.until)}. To be read only;{' '}
                <Link to="/">ask for yourself</Link>.
              </p>
              <ol aria-label="Conversation">
                {exchangesOf(share.turns).map((exchange, index) => (
                  <li key={index} className={answerStyles.exchange}>
                    <QuestionView question={exchange.question} later={0} />
                    <AnswerView exchange={exchange} onOpen={setPlace} />
                    {exchange.phase !== 'bare' && (
                      <CopyButton text={() => asMarkdown(exchange.text, exchange.citations, location.origin)} />
                    )}
                  </li>
                ))}
              </ol>
            </>
          )}
        </Loaded>
      </div>
      {place !== null && <DocumentAside place={place} DocumentPanel={DocumentPanel} onClose={() => setPlace(null)} />}
    </div>
  );
}
