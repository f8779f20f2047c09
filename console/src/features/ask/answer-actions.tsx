import { Link } from '@tanstack/react-router';
import { Activity, RefreshCw, ThumbsDown, ThumbsUp } from 'lucide-react';
import { useState } from 'react';

import { api, unwrap } from '@/lib/api/client';
import { ApiError } from '@/lib/api/error';
import { money } from '@/lib/format';
import { Button, IconButton } from '@/ui/button';
import { CopyButton } from '@/ui/copy-button';
import { TextField } from '@/ui/field';

import styles from './answer.module.css';
import { asMarkdown } from './citing';
import type { Exchange, Said } from './exchange';

export interface AnswerActionsProps {
  readonly exchange: Exchange;
  readonly currency: string;
  readonly onSaid: (said: Said) => void;
  /** Not given while another answer is coming. */
  readonly onAgain: (() => void) | undefined;
}

/** What can be done with an answer: copy it, say whether it helped, have it made anew, look into it. */
export function AnswerActions({ exchange, currency, onSaid, onAgain }: AnswerActionsProps) {
  const { traceId, said, answer } = exchange;
  const hasText = exchange.text !== '';
  const [asksWhy, setAsksWhy] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const say = async (word: Said): Promise<boolean> => {
    if (traceId === null) return false;
    try {
      await unwrap(api.POST('/api/feedback', { body: { trace_id: traceId, ...word } }));
      onSaid(word);
      setFault(null);
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setFault(error.message);
      return false;
    }
  };
  const thumb = (helpful: boolean) => {
    setAsksWhy(true);
    void say({ helpful, reason: '' });
  };
  return (
    <div className={styles.foot}>
      <div className={styles.actions}>
        {hasText && <CopyButton text={() => asMarkdown(exchange.text, exchange.citations, location.origin)} />}
        {hasText && traceId !== null && (
          <>
            <IconButton small label="Helpful" aria-pressed={said?.helpful === true} onClick={() => thumb(true)}>
              <ThumbsUp />
            </IconButton>
            <IconButton small label="Not helpful" aria-pressed={said?.helpful === false} onClick={() => thumb(false)}>
              <ThumbsDown />
            </IconButton>
          </>
        )}
        <IconButton small label="Answer anew" disabled={onAgain === undefined} onClick={onAgain}>
          <RefreshCw />
        </IconButton>
        {traceId !== null && (
          <Link to="/traces/$traceId" params={{ traceId }} className={styles.trace}>
            <Activity aria-hidden="true" /> Where the time went
          </Link>
        )}
        {answer !== null && <span className={styles.fine}>{figures(answer, currency)}</span>}
      </div>
      {fault !== null && (
        <p role="alert" className={styles.problem}>
          {fault}
        </p>
      )}
      {asksWhy && said !== null && (
        <Reason key={String(said.helpful)} said={said} onSend={say} onClose={() => setAsksWhy(false)} />
      )}
    </div>
  );
}

interface ReasonProps {
  readonly said: Said;
  readonly onSend: (said: Said) => Promise<boolean>;
  readonly onClose: () => void;
}

function Reason({ said, onSend, onClose }: ReasonProps) {
  const [reason, setReason] = useState(said.reason);
  const [done, setDone] = useState(false);
  if (done) {
    return (
      <p role="status" className={styles.fine}>
        Thank you, noted.
      </p>
    );
  }
  return (
    <form
      className={styles.reason}
      onSubmit={(event) => {
        event.preventDefault();
        void onSend({ helpful: said.helpful, reason: reason.trim() }).then(setDone);
      }}
    >
      <TextField
        label={said.helpful ? 'Thank you. What was good? (optional)' : 'Thank you. What was wrong? (optional)'}
        value={reason}
        maxLength={2000}
        autoFocus={!said.helpful} // eslint-disable-line jsx-a11y/no-autofocus -- who is not helped was asked for a word
        autoComplete="off"
        onChange={(event) => setReason(event.target.value)}
      />
      <Button type="submit">Send</Button>
      <Button look="quiet" onClick={onClose}>
        Close
      </Button>
    </form>
  );
}

function figures(answer: NonNullable<Exchange['answer']>, currency: string): string {
  const { input_tokens: input, output_tokens: output } = answer.usage;
  const cost =
    answer.cost_micros === null ? 'cost unknown' : answer.cost_micros > 0 ? money(answer.cost_micros, currency) : '';
  return [answer.model, output > 0 ? `${input} + ${output} tokens` : '', cost]
    .filter((each) => each !== '')
    .join(' · ');
}
