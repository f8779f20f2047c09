import { ago, moment } from '@/lib/format';
import { Badge, type Tone } from '@/ui/badge';

import styles from './breaker-changes.module.css';
import { StateIcon } from './breaker-sign';
import { STATES } from './breaker-words';
import type { BreakerEvent, BreakerState } from './types';

const TONES: Readonly<Record<BreakerState, Tone>> = { closed: 'good', 'half-open': 'warn', open: 'fault' };
const MOST = 20;

/** The last changes of breakers, the newest first. */
export function BreakerChanges({ events, now }: { readonly events: readonly BreakerEvent[]; readonly now: number }) {
  return (
    <ol className={styles.changes}>
      {events.slice(0, MOST).map(({ at, dependency, new: state, reason, is_told: isTold }) => (
        <li key={`${at} ${dependency} ${state}`}>
          <time dateTime={new Date(at * 1000).toISOString()} title={moment(at, { seconds: true })}>
            {ago(at, now)}
          </time>
          <strong>{dependency}</strong>
          <Badge tone={TONES[state]} icon={<StateIcon state={state} />}>
            {STATES[state].word}
          </Badge>
          <span>{isTold ? `${reason} (another replica saw it)` : reason}</span>
        </li>
      ))}
    </ol>
  );
}
