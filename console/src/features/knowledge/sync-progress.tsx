import { count, duration } from '@/lib/format';
import { Meter } from '@/ui/meter';

import styles from './knowledge.module.css';
import { did, leftMs, share } from './progress';
import type { Sync } from './queries';

/** How far a running sync is. */
export function SyncProgress({ sync }: { readonly sync: Sync }) {
  const done = share(sync);
  const left = leftMs(sync);
  const told =
    done === null
      ? `listing what there is: ${count(sync.done)} looked at so far`
      : `${count(sync.done)} of ${count(sync.total)} looked at${left === null ? '' : `, about ${roughly(left)} left`}`;
  return (
    <div className={styles.stack} aria-label={`Sync of ${sync.source}`} role="group">
      <Meter label={`Sync of ${sync.source}`} share={done ?? 0} told={told} />
      <p className={styles.soft}>{told}</p>
      {sync.path !== '' && <p className={styles.path}>{sync.path}</p>}
      <ul className={styles.counts}>
        {did(sync).map((each) => (
          <li key={each}>{each}</li>
        ))}
      </ul>
    </div>
  );
}

function roughly(ms: number): string {
  return ms < 60_000 ? `${Math.ceil(ms / 1000)} s` : duration(ms);
}
