import { count, duration, money } from '@/lib/format';
import { Badge, type Tone } from '@/ui/badge';
import { Facts } from '@/ui/page';
import { Table, type Column } from '@/ui/table';

import { contributionInWords, costRange, noticesOf, planParts, verdict } from './outlook-words';
import styles from './outlook-view.module.css';
import type { Outlook } from './types';

type ModelOutlook = Outlook['models'][number];

const TONES: Readonly<Record<string, Tone>> = { open: 'fault', 'half-open': 'warn', closed: 'good' };

/** What would happen to a question: the verdict first, then why, the token plan, and who would be asked at what price. */
export function OutlookView({ outlook, currency }: { readonly outlook: Outlook; readonly currency: string }) {
  const { decision, difficulty } = outlook;
  return (
    <div className={styles.outlook}>
      <p className={styles.verdict}>{verdict(outlook, currency)}</p>
      {outlook.reply !== '' && <blockquote className={styles.reply}>{outlook.reply}</blockquote>}
      {noticesOf(outlook).map((notice) => (
        <p key={notice} className={styles.notice}>
          {notice}
        </p>
      ))}
      {decision !== null && (
        <section>
          <h3>Why {decision.tier}</h3>
          <p>{decision.reason}.</p>
          {decision.passed_over.map(({ tier, reason }) => (
            <p key={tier}>
              Not {tier}: {reason}.
            </p>
          ))}
        </section>
      )}
      {difficulty !== null && (
        <section>
          <h3>How difficult it is: {difficulty.value.toFixed(2)}</h3>
          <ul className={styles.contributions}>
            {difficulty.contributions.map((each) => (
              <li key={each.feature}>
                <span>{each.words}</span> <span>{contributionInWords(each.points)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {outlook.plan !== null && <Plan outlook={outlook} />}
      {outlook.models.length > 0 && (
        <section>
          <h3>Who would be asked</h3>
          <Table
            label="Who would be asked, in this order"
            columns={columns(currency)}
            rows={outlook.models}
            rowKey={({ name }) => name}
          />
        </section>
      )}
      <details>
        <summary>What each stage finds</summary>
        <ol className={styles.stages}>
          {Object.entries(outlook.stages).map(([stage, found]) => (
            <li key={stage}>
              <code>{stage}</code> <span>{found}</span>
            </li>
          ))}
        </ol>
      </details>
      <Facts
        facts={[
          ['Task type', outlook.task_type || null],
          ['Category', outlook.category || null],
          ['Read as', outlook.standalone === outlook.question ? null : outlook.standalone],
          ['Passages', count(outlook.passages)],
          ['Longest answer', outlook.max_tokens === null ? null : `${count(outlook.max_tokens)} tokens`],
          ['Deadline', duration(outlook.deadline_s * 1000)],
          ['Release', outlook.release],
        ]}
      />
    </div>
  );
}

function Plan({ outlook }: { readonly outlook: Outlook }) {
  const plan = outlook.plan;
  if (plan === null) return null;
  const parts = planParts(plan);
  return (
    <section>
      <h3>How the window of {count(plan.window)} tokens is split</h3>
      <div className={styles.bar} aria-hidden="true">
        {parts.map(({ name, tokens, colour }) => (
          <span
            key={name}
            title={`${name}: ${count(tokens)}`}
            style={{ flexGrow: tokens, background: colour === 0 ? 'var(--line)' : `var(--series-${colour})` }}
          />
        ))}
      </div>
      <ul className={styles.legend}>
        {parts.map(({ name, tokens, colour }) => (
          <li key={name}>
            <span
              className={styles.swatch}
              aria-hidden="true"
              style={{ background: colour === 0 ? 'var(--line)' : `var(--series-${colour})` }}
            />
            {name} {count(tokens)}
          </li>
        ))}
      </ul>
      <p className={styles.fine}>
        The prompt comes to about {count(outlook.prompt_tokens)} tokens, with a margin for how a provider counts.
      </p>
    </section>
  );
}

function columns(currency: string): readonly Column<ModelOutlook>[] {
  return [
    { id: 'name', head: 'Model', cell: ({ name }) => name },
    {
      id: 'breaker',
      head: 'Breaker',
      cell: ({ breaker }) => (breaker === '' ? 'none' : <Badge tone={TONES[breaker] ?? 'neutral'}>{breaker}</Badge>),
    },
    { id: 'cost', head: 'Cost of the answer', numeric: true, cell: (model) => costRange(model, currency) },
    {
      id: 'most',
      head: 'At most',
      numeric: true,
      secondary: true,
      cell: ({ most_micros: most }) => (most === null ? 'unknown' : money(most, currency)),
    },
    {
      id: 'waits',
      head: 'Waited for',
      secondary: true,
      cell: ({ patience_s: patience }) =>
        Object.entries(patience)
          .map(([what, seconds]) => `${what.replace('_', ' ')} ${duration(seconds * 1000)}`)
          .join(', '),
    },
  ];
}
