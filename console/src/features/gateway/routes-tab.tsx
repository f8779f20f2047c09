import { useQuery } from '@tanstack/react-query';
import { Split } from 'lucide-react';
import { useState } from 'react';

import { apiQuery, type Got } from '@/lib/api/client';
import { count, moment, money, percent, plural } from '@/lib/format';
import { Select } from '@/ui/field';
import { Panel } from '@/ui/page';
import { Empty, Loaded, Skeleton } from '@/ui/states';
import { Table, type Column } from '@/ui/table';

import { ExplainBox } from './explain-box';
import { useModels } from './queries';
import styles from './routes-tab.module.css';

type Task = Got<'/api/gateway/routes'>['tasks'][number];

const DAYS = [1, 7, 30] as const;
const DAY_S = 86_400;

/** Where questions would go, and where they went. */
export function RoutesTab() {
  const [days, setDays] = useState<number>(7);
  // To the minute: each look would otherwise be another question.
  const [asked, setAsked] = useState(() => toMinute(Date.now() / 1000));
  const routes = useQuery({
    ...apiQuery('/api/gateway/routes', { params: { query: { since: asked - days * DAY_S } } }),
    refetchInterval: 30_000,
  });
  const models = useModels();
  const currency = models.data?.currency ?? 'USD';
  return (
    <>
      <Panel title="What would happen to a question">
        <ExplainBox currency={currency} />
      </Panel>
      <Panel
        title="Where questions went"
        actions={
          <Select
            label="Of the last days"
            labelHidden
            value={days}
            onChange={({ target }) => {
              setDays(Number(target.value));
              setAsked(toMinute(Date.now() / 1000));
            }}
          >
            {DAYS.map((each) => (
              <option key={each} value={each}>
                the last {plural(each, 'day')}
              </option>
            ))}
          </Select>
        }
      >
        <Loaded query={routes} failed="The routes can't be shown" skeleton={<Skeleton height="14rem" />}>
          {(told) => (
            <>
              <p className={styles.rule}>{ruleInWords(told)}</p>
              <Table
                label="Questions by task type and tier"
                columns={columns(currency)}
                rows={told.tasks}
                rowKey={({ task_type: task }) => task}
                empty={
                  <Empty title="No question went to a tier" icon={<Split />}>
                    {Object.keys(told.tiers).length === 0 ? (
                      <>
                        There are no tiers: every question goes to the default model. Two models and a{' '}
                        <code>[tiers.tier-1]</code> and <code>[tiers.tier-2]</code> in <code>ken.toml</code> send easy
                        questions to the cheaper one; <code>docs/guides/routing.md</code> says how.
                      </>
                    ) : (
                      <>None since {moment(told.since)}. Answers of the cache go to no tier.</>
                    )}
                  </Empty>
                }
              />
            </>
          )}
        </Loaded>
      </Panel>
    </>
  );
}

function toMinute(at: number): number {
  return Math.floor(at / 60) * 60;
}

function ruleInWords(told: Got<'/api/gateway/routes'>): string {
  const names = Object.keys(told.tiers);
  if (names.length === 0) return 'Without tiers, nothing is decided.';
  const by = told.difficulty === 'rules' ? 'told by rules' : `told by the training ${told.difficulty}`;
  return `From a difficulty of ${told.threshold.toFixed(2)} on (${by}), the strongest tier answers. A question that was escalated counts for both of its tiers.`;
}

function columns(currency: string): readonly Column<Task>[] {
  return [
    { id: 'task', head: 'Task type', cell: ({ task_type: task }) => task || 'none' },
    { id: 'questions', head: 'Questions', numeric: true, cell: ({ questions }) => count(questions) },
    { id: 'tiers', head: 'Tiers', cell: (task) => <Tiers task={task} currency={currency} /> },
    {
      id: 'escalated',
      head: 'Escalated',
      numeric: true,
      cell: ({ escalated, escalation_rate: rate }) => `${count(escalated)} (${percent(rate, 0)})`,
    },
  ];
}

function Tiers({ task, currency }: { readonly task: Task; readonly currency: string }) {
  return (
    <ul className={styles.tiers}>
      {task.tiers.map(({ tier, questions, cost_micros: cost }) => (
        <li key={tier}>
          <span className={styles.name}>{tier}</span>
          <span
            className={styles.bar}
            aria-hidden="true"
            style={{ width: `${(questions / Math.max(1, task.questions)) * 8}rem` }}
          />
          <span>
            {percent(questions / Math.max(1, task.questions), 0)},{' '}
            {cost === null ? 'cost unknown' : money(cost, currency)}
          </span>
        </li>
      ))}
    </ul>
  );
}
