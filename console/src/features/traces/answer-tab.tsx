import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';

import { day, percent } from '@/lib/format';
import { Badge } from '@/ui/badge';
import { Meter } from '@/ui/meter';
import { Prose, type ProseMark, type Reveal } from '@/ui/prose';
import { Empty } from '@/ui/states';

import styles from './answer-tab.module.css';
import type { Trace } from './shapes';

type Cited = Trace['citations'][number];

/** What was asked and answered, each citation with the sentence that it supports and how well. */
export function AnswerTab({ trace }: { readonly trace: Trace }) {
  const [chosen, setChosen] = useState<number | null>(null);
  const [reveal, setReveal] = useState<Reveal | null>(null);
  const marks = useMemo<readonly ProseMark[]>(
    () =>
      trace.citations.map((each, index) => ({
        start: each.answer_start,
        end: each.answer_end,
        id: `cited-${index}`,
        label: `Citation ${each.number}`,
        tone: index === chosen ? 'current' : 'quote',
      })),
    [trace.citations, chosen],
  );
  if (trace.capture === 'metrics')
    return <Empty title="The answer is no longer kept">It went when the trace was thinned.</Empty>;
  return (
    <div className={styles.split}>
      <section aria-label="Answer" className={styles.answer}>
        <p className={styles.question}>{trace.question}</p>
        {trace.answer === '' ? (
          <p className={styles.none}>Nothing was answered.</p>
        ) : (
          <Prose source={trace.answer} marks={marks} reveal={reveal} />
        )}
      </section>
      <section aria-label="Citations" className={styles.citations}>
        {trace.citations.length === 0 && (
          <Empty title="Nothing is cited">An answer without citations rests on no passage.</Empty>
        )}
        {trace.citations.map((each, index) => (
          <CitationCard
            key={index}
            citation={each}
            isChosen={index === chosen}
            onChoose={() => {
              setChosen(index);
              setReveal({ at: each.answer_start, id: `cited-${index}` });
            }}
          />
        ))}
      </section>
    </div>
  );
}

interface CitationCardProps {
  readonly citation: Cited;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}

function CitationCard({ citation, isChosen, onChoose }: CitationCardProps) {
  return (
    <article className={styles.card} aria-current={isChosen || undefined}>
      <header className={styles.cardHead}>
        <button
          type="button"
          className={styles.number}
          onClick={onChoose}
          aria-label={`Show the sentence of citation ${citation.number}`}
        >
          [{citation.number}]
        </button>
        <Link
          to="/documents/$"
          params={{ _splat: citation.document_id }}
          search={{ start: citation.start, end: citation.end, version: citation.version }}
        >
          {citation.document_title}
        </Link>
        {citation.standing !== 'current' && <Badge tone="warn">{citation.standing}</Badge>}
        {citation.review_due && <Badge tone="warn">review due</Badge>}
      </header>
      <blockquote className={styles.quote}>{citation.quote}</blockquote>
      <div className={styles.support}>
        <span>Support {percent(citation.support, 0)}</span>
        <Meter
          label="How well the passage supports the sentence"
          share={citation.support}
          tone={citation.support >= 0.5 ? 'good' : 'warn'}
        />
      </div>
      <p className={styles.from}>
        {[
          citation.heading_path.join(' › '),
          citation.owner ?? '',
          citation.effective === null ? '' : `in force since ${day(citation.effective)}`,
        ]
          .filter((part) => part !== '')
          .join(' · ')}
      </p>
    </article>
  );
}
