import { CircleCheck, ThumbsDown, ThumbsUp, TriangleAlert } from 'lucide-react';

import { moment, percent, plural } from '@/lib/format';
import { Facts, Panel } from '@/ui/page';

import styles from './checks-tab.module.css';
import type { Trace } from './shapes';
import { REASON_WORDS } from './words';

/** What checks, judges and people said of an answer, and why its trace is kept. */
export function ChecksTab({ trace }: { readonly trace: Trace }) {
  return (
    <div className={styles.grid}>
      <Panel title="Checks">
        {trace.checked.length === 0 && <p className={styles.none}>No check had something to say of this answer.</p>}
        <ul className={styles.list}>
          {trace.checked.map((name) => {
            const failed = trace.failed_checks.includes(name);
            return (
              <li key={name} className={failed ? styles.failed : styles.passed}>
                {failed ? <TriangleAlert aria-hidden="true" /> : <CircleCheck aria-hidden="true" />}
                <span>{name.replaceAll('_', ' ')}</span>
                <span className={styles.verdict}>{failed ? 'found a fault' : 'found nothing'}</span>
              </li>
            );
          })}
        </ul>
      </Panel>
      <Panel title="Scores">
        <Facts
          facts={[
            ['Quality, by a judge', score(trace.reaction.quality)],
            ['Groundedness, by a judge', score(trace.reaction.groundedness)],
            ['Confidence that the passages hold the answer', percent(trace.confidence, 0)],
            ['Mean relevance', percent(trace.retrieved?.mean_relevance, 0)],
            ['Least relevance', percent(trace.retrieved?.least_relevance, 0)],
            ['Passages that the answer cites', percent(trace.retrieved?.utilisation, 0)],
          ]}
        />
      </Panel>
      <Panel title="Feedback">
        {trace.feedback.length === 0 && <p className={styles.none}>Nobody has said anything of this answer.</p>}
        <ul className={styles.list}>
          {trace.feedback.map((each) => (
            <li key={each.principal} className={each.helpful ? styles.passed : styles.failed}>
              {each.helpful ? <ThumbsUp aria-hidden="true" /> : <ThumbsDown aria-hidden="true" />}
              <span>
                {each.helpful ? 'Helpful' : 'Not helpful'}, {each.principal}, {moment(each.at)}
                {each.reason !== '' && <span className={styles.reason}>“{each.reason}”</span>}
              </span>
            </li>
          ))}
        </ul>
      </Panel>
      <Panel title="What is kept of it">
        <p>{keptOf(trace)}</p>
      </Panel>
    </div>
  );
}

function score(value: number | null): string {
  return value === null ? 'not judged' : `${value.toFixed(1)} of 5`;
}

/** Which tier, why, and until when. */
export function keptOf(trace: Pick<Trace, 'capture' | 'keeping' | 'failed_checks'>): string {
  const reasons = (trace.keeping?.reasons ?? []).map((reason) => REASON_WORDS[reason] ?? reason);
  const until = trace.keeping == null ? '' : moment(trace.keeping.kept_until);
  const checks = trace.failed_checks.length === 0 ? '' : ` (${plural(trace.failed_checks.length, 'check')})`;
  switch (trace.capture) {
    case 'full':
      return `All of it, until ${until}, because ${reasons.join(' and ') || 'it is kept whole'}${checks}.`;
    case 'grace':
      return `All of it, until ${until}: nothing was wrong with it and it wasn't drawn as a sample, so its figures alone are kept after that.`;
    case 'metrics':
      return `Its figures alone, until ${until}.`;
  }
}
