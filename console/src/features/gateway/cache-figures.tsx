import { Database } from 'lucide-react';

import type { Got } from '@/lib/api/client';
import { count, money, percent, plural } from '@/lib/format';
import { Empty } from '@/ui/states';
import { Table, type Column } from '@/ui/table';

import styles from './cache-figures.module.css';
import { shadowInWords, wrongInWords } from './cache-words';
import type { CacheFigures as Figures } from './types';

interface Row {
  readonly name: string;
  readonly figures: Figures;
}

/** Hits, savings and estimated mistakes: of all together in large, then by category. */
export function CacheFigures({ told }: { readonly told: Got<'/api/gateway/cache'> }) {
  const { all, currency } = told;
  if (all.lookups === 0 && all.entries === 0) {
    return (
      <Empty title={`Nothing was looked up in the last ${plural(told.days, 'day')}`} icon={<Database />}>
        The cache keeps answers that rest on documents and gives them again to whoever may read the same and asks the
        same, until one of those documents changes. Ask something twice to see it work;{' '}
        <code>docs/guides/caching.md</code> says what it keeps and what it doesn’t.
      </Empty>
    );
  }
  const big: readonly (readonly [string, string, string])[] = [
    ['Hit rate', percent(all.hit_rate), `${count(all.exact + all.similar)} of ${plural(all.lookups, 'lookup')}`],
    [
      'Saved, about',
      money(all.saved_micros, currency),
      all.saved_micros === null ? 'unknown: a price is' : 'what the hits would have cost',
    ],
    ['Wrong answers, estimated', wrongInWords(all.false_hits), shadowInWords(all.false_hits)],
    ['Answers held', count(all.entries), `${count(all.stores)} were kept in that time`],
  ];
  const rows = Object.entries(told.categories)
    .map(([name, figures]) => ({ name, figures }))
    .toSorted((one, other) => other.figures.lookups - one.figures.lookups);
  return (
    <>
      <dl className={styles.big}>
        {big.map(([name, value, beside]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className={styles.value}>{value}</dd>
            <dd className={styles.beside}>{beside}</dd>
          </div>
        ))}
      </dl>
      <Table label="The cache by category" columns={columns(currency)} rows={rows} rowKey={({ name }) => name} />
      <div className={styles.reasons}>
        <Reasons title="Near, and yet another question" counts={all.refusals} none="No near question was refused." />
        <Reasons title="Answers that were not kept" counts={all.not_stored} none="Every answer was kept." />
      </div>
    </>
  );
}

function Reasons(props: {
  readonly title: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly none: string;
}) {
  const all = Object.entries(props.counts);
  return (
    <div>
      <h3>{props.title}</h3>
      {all.length === 0 ? (
        <p>{props.none}</p>
      ) : (
        <ul>
          {all.map(([reason, times]) => (
            <li key={reason}>
              <span>{reason}</span> <span>{count(times)}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function columns(currency: string): readonly Column<Row>[] {
  return [
    { id: 'name', head: 'Category', cell: ({ name }) => name },
    { id: 'rate', head: 'Hit rate', numeric: true, cell: ({ figures }) => percent(figures.hit_rate) },
    { id: 'lookups', head: 'Lookups', numeric: true, cell: ({ figures }) => count(figures.lookups) },
    { id: 'exact', head: 'Same words', numeric: true, secondary: true, cell: ({ figures }) => count(figures.exact) },
    {
      id: 'similar',
      head: 'Other words',
      numeric: true,
      secondary: true,
      cell: ({ figures }) => count(figures.similar),
    },
    {
      id: 'stale',
      head: 'Stale, as a model failed',
      numeric: true,
      secondary: true,
      cell: ({ figures }) => count(figures.stale),
    },
    {
      id: 'saved',
      head: 'Saved, about',
      numeric: true,
      cell: ({ figures }) => (figures.saved_micros === null ? 'unknown' : money(figures.saved_micros, currency)),
    },
    {
      id: 'wrong',
      head: 'Wrong, estimated',
      numeric: true,
      cell: ({ figures }) => <span title={shadowInWords(figures.false_hits)}>{wrongInWords(figures.false_hits)}</span>,
    },
    { id: 'held', head: 'Held', numeric: true, cell: ({ figures }) => count(figures.entries) },
  ];
}
