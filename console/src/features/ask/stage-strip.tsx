import { duration } from '@/lib/format';

import styles from './answer.module.css';
import type { Stage } from './exchange';

/** The stages of an answer, ticking past; when it is whole, one line that opens to all of them. */
export function StageStrip({ stages, isRunning }: { readonly stages: readonly Stage[]; readonly isRunning: boolean }) {
  const sum = stages.reduce((total, stage) => total + (stage.ms ?? 0), 0);
  const list = (
    <ol className={styles.stages} aria-label="Stages">
      {stages.map((stage, index) => (
        <li key={index} data-running={stage.ms === null && isRunning} title={stage.detail}>
          {stage.name}
          {stage.ms !== null && <span className={styles.ms}>{duration(stage.ms)}</span>}
        </li>
      ))}
    </ol>
  );
  if (isRunning) return <div className={styles.strip}>{list}</div>;
  return (
    <details className={styles.strip}>
      <summary>
        {stages.length} stages, {duration(sum)}
      </summary>
      {list}
    </details>
  );
}
