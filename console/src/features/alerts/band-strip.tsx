import { INSET } from '@/ui/chart-option';
import { classNames } from '@/ui/class-names';

import type { Band } from './backtest-chart';
import styles from './band-strip.module.css';

const NAMES = { firing: 'firing', pending: 'waiting', thin: 'too little to look at' } as const;

export interface BandStripProps {
  readonly bands: readonly Band[];
  readonly since: number;
  readonly until: number;
}

/** Below a chart, on its axis of time: when the alert would have waited and fired, and where nothing could be said. The words beside the
 *  chart say the same, so it is decoration. */
export function BandStrip({ bands, since, until }: BandStripProps) {
  const whole = Math.max(1, until - since);
  const kinds = [...new Set(bands.map(({ kind }) => kind))];
  return (
    <div aria-hidden="true">
      <div className={styles.strip} style={{ marginInline: `${INSET.left}px ${INSET.right}px` }}>
        {bands.map((band, index) => (
          <span
            key={index}
            className={classNames(styles.band, styles[band.kind])}
            style={{
              insetInlineStart: `${((band.since - since) / whole) * 100}%`,
              width: `max(2px, ${((band.until - band.since) / whole) * 100}%)`,
            }}
          />
        ))}
      </div>
      <ul className={styles.key} style={{ marginInlineStart: `${INSET.left}px` }}>
        {kinds.map((kind) => (
          <li key={kind}>
            <span className={classNames(styles.swatch, styles[kind])} />
            {NAMES[kind]}
          </li>
        ))}
      </ul>
    </div>
  );
}
