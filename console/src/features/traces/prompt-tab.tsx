import { count, percent, plural } from '@/lib/format';
import { classNames } from '@/ui/class-names';
import { CopyButton } from '@/ui/copy-button';
import { Panel } from '@/ui/page';
import { Empty } from '@/ui/states';
import { Table, type Column } from '@/ui/table';

import { planOf, type Plan, type PlanPart } from './plan';
import styles from './prompt-tab.module.css';
import type { Trace } from './shapes';

/** What the model was given, and how its window was shared out. */
export function PromptTab({ trace, isOperator }: { readonly trace: Trace; readonly isOperator: boolean }) {
  const plan = planOf(trace);
  if (plan === null && trace.prompt.length === 0) {
    return (
      <Empty title={trace.capture === 'metrics' ? 'The prompt is no longer kept' : 'No model was asked'}>
        {trace.cached
          ? 'The answer was given before, so nothing had to be written.'
          : 'The question ended before a prompt was laid out.'}
      </Empty>
    );
  }
  return (
    <div className={styles.tab}>
      {plan !== null && <TokenPlan plan={plan} />}
      <Panel
        title={`Messages (${trace.prompt.length})`}
        actions={
          trace.prompt.length > 0 && (
            <CopyButton
              text={() => trace.prompt.map((each) => `${each.role}:\n${each.content}`).join('\n\n')}
              label="Copy the prompt"
            />
          )
        }
      >
        {trace.prompt.length === 0 && (
          <p className={styles.none}>
            {isOperator
              ? 'The words of this prompt are not on record.'
              : 'What a model is told besides your question is shown to operators.'}
          </p>
        )}
        {trace.prompt.map((message, index) => (
          <details key={index} open className={styles.message}>
            <summary>
              <span className={styles.role}>{message.role}</span>
              <span className={styles.size}>{plural(message.content.length, 'character')}</span>
            </summary>
            <Content label={`Message ${index + 1}, ${message.role}`} text={message.content} />
          </details>
        ))}
      </Panel>
    </div>
  );
}

function Content({ label, text }: { readonly label: string; readonly text: string }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must take the focus (WCAG 2.1.1)
    <pre className={styles.content} tabIndex={0} role="region" aria-label={label}>
      {text}
    </pre>
  );
}

/** The window as a bar: what each part was given, and how much of that it took. */
export function TokenPlan({ plan }: { readonly plan: Plan }) {
  const share = (tokens: number) => (plan.window === 0 ? 0 : (tokens / plan.window) * 100);
  const shown = plan.parts.filter((part) => part.planned > 0 || (part.used ?? 0) > 0);
  return (
    <Panel title="Token plan">
      <p className={styles.none}>
        {count(plan.used)} of a window of {count(plan.window)} tokens were used
        {plan.leftOut > 0 ? `; ${plural(plan.leftOut, 'passage')} found no room` : ''}. Tokens are counted by the
        embedder&apos;s tokenizer.
      </p>
      <div role="img" aria-label={`The window by parts: ${shown.map(told).join('; ')}`} className={styles.bar}>
        {shown.map((part) => (
          <div
            key={part.id}
            className={classNames(styles.segment, styles[part.id])}
            style={{ width: `${share(Math.max(part.planned, part.used ?? 0))}%` }}
            title={told(part)}
          >
            {part.used !== null && <div className={styles.used} style={{ width: `${usedShare(part)}%` }} />}
          </div>
        ))}
      </div>
      <Table label="The token plan by part" columns={COLUMNS} rows={shown} rowKey={(part) => part.id} />
    </Panel>
  );
}

const COLUMNS: readonly Column<PlanPart>[] = [
  {
    id: 'part',
    head: 'Part',
    cell: (part) => (
      <span className={styles.key}>
        <span aria-hidden="true" className={classNames(styles.swatch, styles[part.id])} />
        {part.words}
      </span>
    ),
  },
  { id: 'planned', head: 'May take', numeric: true, cell: (part) => count(part.planned) },
  { id: 'used', head: 'Took', numeric: true, cell: (part) => (part.used === null ? 'kept free' : count(part.used)) },
  {
    id: 'share',
    head: 'Of its room',
    numeric: true,
    cell: (part) => (part.used === null || part.planned === 0 ? '–' : percent(part.used / part.planned, 0)),
  },
];

function usedShare(part: PlanPart): number {
  return Math.min(100, ((part.used ?? 0) / Math.max(part.planned, part.used ?? 0, 1)) * 100);
}

function told(part: PlanPart): string {
  return `${part.words}: ${part.used === null ? '' : `${count(part.used)} of `}${count(part.planned)} tokens`;
}
