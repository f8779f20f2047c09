import { Link } from '@tanstack/react-router';

import { moment } from '@/lib/format';
import { classNames } from '@/ui/class-names';

import { rowsOf } from './timeline-rows';
import type { Episode } from './episodes';
import styles from './timeline.module.css';
import { lasting } from './words';

const TICKS = 4;

export interface TimelineProps {
  readonly episodes: readonly Episode[];
  readonly since: number;
  readonly until: number;
}

/** Each alert on a line of time, those that fired last on top. */
export function Timeline({ episodes, since, until }: TimelineProps) {
  const span = until - since;
  return (
    <div className={styles.timeline}>
      <ul aria-label="When alerts fired">
        {rowsOf(episodes).map(({ name, alert, episodes: own }) => (
          <li key={alert.fingerprint} className={styles.row}>
            <Link to="/alerts" search={{ alert: alert.fingerprint }} className={styles.name} title={name}>
              {name}
            </Link>
            <span className={styles.track}>
              {own.map((each) => (
                <span
                  key={each.key}
                  className={classNames(styles.bar, each.alert.severity === 'hard' ? styles.hard : styles.soft)}
                  title={`${each.alert.severity}: ${moment(each.since)}, ${lasting(each.until - each.since)}`}
                  style={{
                    insetInlineStart: `${(Math.max(0, each.since - since) / span) * 100}%`,
                    width: `max(4px, ${((each.until - Math.max(each.since, since)) / span) * 100}%)`,
                  }}
                />
              ))}
            </span>
            <span className="unseen">
              {own
                .map((each) => `${each.alert.severity}, ${moment(each.since)} for ${lasting(each.until - each.since)}`)
                .join('; ')}
            </span>
          </li>
        ))}
      </ul>
      <div className={styles.axis} aria-hidden="true">
        {Array.from({ length: TICKS + 1 }, (_, tick) => (
          <span key={tick}>{moment(since + (span * tick) / TICKS).replace(/ \d{4},/, ',')}</span>
        ))}
      </div>
    </div>
  );
}
