import { CircleCheck, CircleDashed, CircleOff, HardDrive } from 'lucide-react';

import styles from './breaker-sign.module.css';
import { nextInWords, probeInWords, STATES, whyInWords } from './breaker-words';
import type { BreakerState, GatewayModel } from './types';

const ICONS: Readonly<Record<BreakerState, typeof CircleCheck>> = {
  closed: CircleCheck,
  'half-open': CircleDashed,
  open: CircleOff,
};

/** The icon of a state. Each has a shape of its own, so that nobody needs the colour. */
export function StateIcon({ state }: { readonly state: BreakerState }) {
  const Icon = ICONS[state];
  return <Icon aria-hidden="true" />;
}

export interface BreakerSignProps {
  readonly model: GatewayModel;
  /** By the server's clock, in seconds. */
  readonly now: number;
}

/** A breaker, large and plain: its state in a word, a colour and an icon, since when, why, and what comes next. */
export function BreakerSign({ model, now }: BreakerSignProps) {
  const { breaker } = model;
  if (breaker === null) {
    return (
      <div className={styles.sign} data-state="none">
        <HardDrive aria-hidden="true" />
        <p className={styles.word}>Always there</p>
        <p className={styles.told}>It runs inside Ken and calls nobody, so there is nothing to break.</p>
      </div>
    );
  }
  const probe = probeInWords(model, now);
  return (
    <div className={styles.sign} data-state={breaker.state}>
      <StateIcon state={breaker.state} />
      <p className={styles.word}>
        {STATES[breaker.state].word} <span className={styles.means}>{STATES[breaker.state].means}</span>
      </p>
      <p className={styles.told}>{whyInWords(model, now)}</p>
      {probe !== null && <p className={styles.probe}>{probe}</p>}
      <p className={styles.next}>{nextInWords(model)}</p>
    </div>
  );
}
