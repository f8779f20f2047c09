import { Link } from '@tanstack/react-router';

import { ago, duration, moment, money, percent } from '@/lib/format';
import { Moment } from '@/ui/moment';
import type { Column } from '@/ui/table';

import type { Found } from './shapes';
import styles from './traces-page.module.css';
import { Helpful, Outcome, titleOf, tokensOf } from './words';

/** The columns of the list, without those of dashes alone; with those that a filter asks for by name behind them. */
export function columnsOf(currency: string, rows: readonly Found[]): readonly Column<Found>[] {
  const isSaid: Readonly<Record<string, boolean | undefined>> = {
    ttft: rows.some((trace) => trace.ttft_ms !== null),
    quality: rows.some((trace) => trace.reaction.quality !== null),
    feedback: rows.some((trace) => trace.reaction.helpful !== null),
  };
  const told = figures(currency).filter(({ id }) => isSaid[id] ?? true);
  return [...BEFORE, ...told, ...askedNames(rows).map(askedFor)];
}

const BEFORE: readonly Column<Found>[] = [
  {
    id: 'question',
    head: 'Question',
    width: 'minmax(14rem, 3fr)',
    cell: (trace) => (
      <Link
        to="/traces/$traceId"
        params={{ traceId: trace.id }}
        tabIndex={-1}
        className={trace.capture === 'metrics' ? styles.thinned : styles.title}
        onClick={(event) => event.stopPropagation()}
      >
        {titleOf(trace)}
      </Link>
    ),
  },
  {
    id: 'outcome',
    head: 'Outcome',
    width: '9.2rem',
    cell: (trace) => <Outcome trace={trace} />,
  },
  {
    id: 'when',
    head: 'When',
    width: '7rem',
    cell: (trace) => <Moment at={trace.started_at} told={ago} title={(at) => moment(at, { seconds: true })} />,
  },
];

function figures(currency: string): readonly Column<Found>[] {
  return [
    { id: 'ms', head: 'Took', width: '4.9rem', numeric: true, cell: (trace) => duration(trace.ms) },
    { id: 'ttft', head: 'First text', width: '5.6rem', numeric: true, cell: (trace) => duration(trace.ttft_ms) },
    { id: 'cost', head: 'Cost', width: '6.4rem', numeric: true, cell: (trace) => money(trace.cost_micros, currency) },
    { id: 'tokens', head: <span title="Read / written">Tokens</span>, width: '7.2rem', numeric: true, cell: tokensOf },
    { id: 'model', head: 'Model', width: 'minmax(6rem, 1fr)', cell: (trace) => trace.model || '–' },
    { id: 'task', head: 'Task', width: '8.6rem', cell: (trace) => trace.task_type || trace.kind },
    {
      id: 'quality',
      head: 'Quality',
      width: '4.6rem',
      numeric: true,
      cell: (trace) => trace.reaction.quality?.toFixed(1) ?? '–',
    },
    {
      id: 'feedback',
      head: 'Feedback',
      width: '5.6rem',
      cell: (trace) => <Helpful helpful={trace.reaction.helpful} />,
    },
  ];
}

const SHOWN = new Set([
  'ms',
  'ttft.ms',
  'cost',
  'tokens.input',
  'tokens.output',
  'model',
  'task_type',
  'outcome',
  'started',
  'quality',
  'helpful',
]);

/** The names of a filter that no column shows already. */
export function askedNames(rows: readonly Found[]): readonly string[] {
  return Object.keys(rows[0]?.figures ?? {}).filter((name) => !SHOWN.has(name));
}

function askedFor(name: string): Column<Found> {
  return {
    id: `asked-${name}`,
    head: name,
    width: '8rem',
    numeric: true,
    cell: (trace) => told(name, trace.figures[name]),
  };
}

function told(name: string, value: string | number | boolean | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (typeof value !== 'number') return String(value);
  if (name.endsWith('.ms')) return duration(value);
  if (name.includes('relevance') || name === 'utilisation' || name === 'confidence') return percent(value);
  return value.toLocaleString('en-GB');
}
