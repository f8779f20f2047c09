import { classNames } from './class-names';
import styles from './meter.module.css';
import type { Tone } from './badge';

export interface MeterProps {
  /** What is measured, for screen readers. */
  readonly label: string;
  /** From 0 to 1; above 1 the bar is full. */
  readonly share: number;
  /** The value in words. */
  readonly told?: string;
  readonly tone?: Tone;
  /** A second position on the same bar, from 0 to 1: a pace, a limit. */
  readonly mark?: number;
}

/** How far something is used up or done. */
export function Meter({ label, share, told, tone = 'accent', mark }: MeterProps) {
  const full = Math.min(1, Math.max(0, share));
  return (
    <div
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={1}
      aria-valuenow={full}
      aria-valuetext={told ?? `${Math.round(share * 100)} %`}
      className={styles.meter}
    >
      <div className={classNames(styles.bar, styles[tone])} style={{ width: `${full * 100}%` }} />
      {mark !== undefined && (
        <div className={styles.mark} style={{ insetInlineStart: `${Math.min(1, Math.max(0, mark)) * 100}%` }} />
      )}
    </div>
  );
}
