import { Link } from '@tanstack/react-router';
import { Lock, Square, TriangleAlert } from 'lucide-react';
import { useMemo } from 'react';

import type { Citation } from '@/lib/api/types';
import { Button } from '@/ui/button';
import { Prose } from '@/ui/prose';

import styles from './answer.module.css';
import { Beyond } from './beyond';
import { insertsOf, markersOf } from './citing';
import { Conflicts } from './conflicts';
import type { Exchange } from './exchange';
import { Notices } from './notices';
import { Sources } from './sources';
import { StageStrip } from './stage-strip';

/** A place in a document that is to be shown. */
export interface Place {
  readonly documentId: string;
  readonly start: number;
  readonly end: number;
  readonly page: number | null;
  readonly version: string | null;
}

export interface AnswerViewProps {
  readonly exchange: Exchange;
  readonly onOpen: (place: Place) => void;
  /** Not given where there is nothing to be asked: in a shared conversation. */
  readonly onAsk?: (question: string) => void;
  readonly onRetry?: () => void;
}

/** An answer as it comes, and as it stays: its stages, its text with citations, what is to be known of it, its sources. */
export function AnswerView({ exchange, onOpen, onAsk, onRetry }: AnswerViewProps) {
  const { phase, text, citations, answer } = exchange;
  const open = (citation: Citation) =>
    onOpen({
      documentId: citation.document_id,
      start: citation.start,
      end: citation.end,
      page: citation.page,
      version: citation.version,
    });
  const isBeyond = answer?.outcome === 'abstained' || answer?.outcome === 'refused';
  if (phase === 'bare' && text.startsWith('(with')) return <Withheld text={text} />;
  const body = <Body exchange={isBeyond ? withoutNearest(exchange) : exchange} onOpen={open} />;
  return (
    <div className={styles.answer} aria-busy={phase === 'running'}>
      {exchange.stages.length > 0 && <StageStrip stages={exchange.stages} isRunning={phase === 'running'} />}
      {isBeyond ? (
        <Beyond answer={answer} onOpen={onOpen}>
          {body}
        </Beyond>
      ) : text === '' && phase === 'running' ? (
        <div className={styles.waiting} aria-hidden="true" />
      ) : (
        body
      )}
      {phase === 'stopped' && (
        <p className={styles.ended}>
          <Square aria-hidden="true" /> {exchange.notices.at(-1)?.text}
        </p>
      )}
      {phase === 'failed' && <Failed exchange={exchange} onRetry={onRetry} />}
      <Notices notices={phase === 'stopped' ? exchange.notices.slice(0, -1) : exchange.notices} answer={answer} />
      {answer !== null && answer.conflicts.length > 0 && <Conflicts conflicts={answer.conflicts} onOpen={open} />}
      {answer !== null && answer.choices.length > 0 && (
        <ul className={styles.choices} aria-label="What the question may mean">
          {answer.choices.map((choice) => (
            <li key={choice.question}>
              <Button
                title={choice.document_title}
                disabled={onAsk === undefined}
                onClick={() => onAsk?.(choice.question)}
              >
                {choice.name}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {!isBeyond && citations.length > 0 && <Sources citations={citations} onOpen={open} />}
    </div>
  );
}

/** Without the sentence that names the nearest documents: they stand below, to be opened. */
function withoutNearest(exchange: Exchange): Exchange {
  if (exchange.answer?.nearest.length === 0) return exchange;
  return { ...exchange, text: exchange.text.replace(/ The nearest I have: “.*”\.$/s, '') };
}

function Body({ exchange, onOpen }: { readonly exchange: Exchange; readonly onOpen: (citation: Citation) => void }) {
  const { text, citations } = exchange;
  const markers = useMemo(() => markersOf(text, citations), [text, citations]);
  return (
    <div className={styles.text}>
      <Prose
        source={text}
        inserts={insertsOf(markers, onOpen)}
        isStreaming={exchange.phase === 'running'}
        headingShift={2}
      />
    </div>
  );
}

function Failed({ exchange, onRetry }: { readonly exchange: Exchange; readonly onRetry: (() => void) | undefined }) {
  const { error, traceId, text } = exchange;
  if (error === null) return null;
  const wait = error.retryAfterS === null ? 'in a moment' : `in ${Math.ceil(error.retryAfterS)} seconds`;
  const advice =
    error.status === 0
      ? 'Check that Ken is running and that this machine is connected to it; then ask again.'
      : error.status === 429
        ? `Too much was asked at once. Ask again ${wait}.`
        : error.isPassing
          ? `The question is kept. Ask again ${wait}; if it goes on failing, the trace tells an operator why.`
          : 'Change the question (the pencil beside it) and ask again.';
  return (
    <div role="alert" className={styles.fault}>
      <TriangleAlert aria-hidden="true" />
      <div>
        <p className={styles.faultTitle}>{text === '' ? 'There is no answer' : 'The answer breaks off here'}</p>
        <p>{error.message}</p>
        <p className={styles.fine}>{advice}</p>
        <div className={styles.row}>
          {onRetry !== undefined && <Button onClick={onRetry}>Ask again</Button>}
          {traceId !== null && (
            <Link to="/traces/$traceId" params={{ traceId }}>
              Open the trace
            </Link>
          )}
        </div>
      </div>
    </div>
  );
}

function Withheld({ text }: { readonly text: string }) {
  const plain = text.slice(1, -1).replace(/^\w+: /, '');
  return (
    <p className={styles.withheld}>
      <Lock aria-hidden="true" />
      <span>
        <strong>{text.startsWith('(withdrawn') ? 'Withdrawn' : 'Withheld'}</strong>: {plain}.
      </span>
    </p>
  );
}
