import styles from './answer.module.css';
import { AnswerActions } from './answer-actions';
import { AnswerView, type Place } from './answer-view';
import type { Exchange, Said } from './exchange';
import { QuestionView } from './question-view';
import { useRestored } from './restored';

export interface ExchangeViewProps {
  readonly exchange: Exchange;
  readonly later: number;
  readonly currency: string;
  /** An answer is coming, here or further down: nothing can be asked anew. */
  readonly busy: boolean;
  readonly onOpen: (place: Place) => void;
  readonly onAsk: (question: string) => void;
  readonly onAnew: (question: string, fresh: boolean) => void;
  readonly onSaid: (said: Said) => void;
}

/** A question with its answer and what can be done with both. */
export function ExchangeView(props: ExchangeViewProps) {
  const { busy, onOpen } = props;
  const exchange = useRestored(props.exchange);
  const { question, phase } = exchange;
  const again = busy ? undefined : () => props.onAnew(question, true);
  return (
    <li className={styles.exchange}>
      <QuestionView
        question={question}
        later={props.later}
        onAsk={busy ? undefined : (changed) => props.onAnew(changed, false)}
      />
      <AnswerView
        exchange={exchange}
        onOpen={onOpen}
        {...(busy ? {} : { onAsk: props.onAsk, onRetry: () => props.onAnew(question, false) })}
      />
      {phase === 'running' || phase === 'failed' ? (
        <div className={styles.foot} />
      ) : (
        <AnswerActions exchange={exchange} currency={props.currency} onSaid={props.onSaid} onAgain={again} />
      )}
    </li>
  );
}
