import { moment, money, percent, plural } from '@/lib/format';
import { Badge, type Tone } from '@/ui/badge';
import { Panel } from '@/ui/page';
import { Table } from '@/ui/table';

import { quoted, type View } from './data';
import styles from './views.module.css';
import { valueInWords } from './words';

type Dependency = View['dependencies'][number];
type Pattern = View['patterns'][number];

const STATES: Readonly<Record<Dependency['state'], readonly [string, Tone]>> = {
  closed: ['Closed: in use', 'good'],
  open: ['Open: left alone', 'fault'],
  'half-open': ['Half open: being tried', 'warn'],
};

/** The breakers of this process as they stand now. */
export function Dependencies({ dependencies }: { readonly dependencies: readonly Dependency[] }) {
  return (
    <Panel title="Dependencies, now">
      <Table
        label="Breakers of dependencies"
        rows={dependencies}
        rowKey={({ name }) => name}
        columns={[
          { id: 'name', head: 'Dependency', cell: ({ name }) => name },
          {
            id: 'state',
            head: 'Breaker',
            cell: ({ state }) => <Badge tone={STATES[state][1]}>{STATES[state][0]}</Badge>,
          },
          { id: 'errors', head: 'Errors', numeric: true, cell: ({ error_rate }) => percent(error_rate) },
          { id: 'since', head: 'Since', secondary: true, cell: ({ since }) => moment(since) },
        ]}
        empty={<p>No dependency of this process has a breaker: all answers come from within it.</p>}
      />
    </Panel>
  );
}

export interface PatternsProps {
  readonly patterns: readonly Pattern[];
  readonly currency: string;
  /** List the traces of one of them. */
  readonly onOpen: (where: string) => void;
}

/** The questions that cost most, by task type and category. */
export function Patterns({ patterns, currency, onOpen }: PatternsProps) {
  const each = (value: number | null) => (value === null ? 'unknown' : money(value, currency));
  return (
    <Panel title="Dearest questions">
      <Table
        label="Questions by task type and category, the dearest first"
        rows={patterns}
        rowKey={({ task_type, category }) => `${task_type} ${category}`}
        columns={[
          {
            id: 'pattern',
            head: 'Task type, category',
            cell: ({ task_type, category }) => (
              <button
                type="button"
                className={styles.link}
                onClick={() => onOpen(`task_type = ${quoted(task_type)} and category = ${quoted(category)}`)}
              >
                {`${valueInWords(task_type)}, ${valueInWords(category)}`}
              </button>
            ),
          },
          {
            id: 'questions',
            head: 'Questions',
            numeric: true,
            cell: ({ questions }) => questions.toLocaleString('en-GB'),
          },
          {
            id: 'cost',
            head: 'Cost',
            numeric: true,
            cell: ({ cost_micros, unknown_cost_questions }) =>
              unknown_cost_questions === 0
                ? money(cost_micros, currency)
                : `${money(cost_micros, currency)} and ${plural(unknown_cost_questions, 'question')} of unknown cost`,
          },
          { id: 'one', head: 'Per question', numeric: true, cell: ({ cost_per_question }) => each(cost_per_question) },
          { id: 'done', head: 'Per task done', numeric: true, cell: ({ cost_per_success }) => each(cost_per_success) },
          {
            id: 'share',
            head: 'Done',
            numeric: true,
            secondary: true,
            cell: ({ success_rate }) => (success_rate === null ? 'unknown' : percent(success_rate)),
          },
        ]}
        empty={<p>Nothing was asked in this window.</p>}
      />
    </Panel>
  );
}
