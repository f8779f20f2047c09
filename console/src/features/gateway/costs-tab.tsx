import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Coins } from 'lucide-react';

import { apiQuery } from '@/lib/api/client';
import { compact, count, day as dayInWords, money, percent, plural } from '@/lib/format';
import { Select } from '@/ui/field';
import { Panel } from '@/ui/page';
import { Empty, Loaded, Skeleton } from '@/ui/states';
import { Table, type Column } from '@/ui/table';

import { CostDays } from './cost-days';
import styles from './costs-tab.module.css';
import { costInWords, total } from './cost-words';
import { COST_DIMENSIONS, type CostDimension } from './search';
import type { Cost } from './types';

const NAMES: Readonly<Record<CostDimension, string>> = {
  model: 'model',
  task_type: 'task type',
  stage: 'stage',
  day: 'day',
  tier: 'tier',
  category: 'category',
  principal: 'key',
  release: 'release',
};
const DAYS = [1, 7, 30, 90] as const;

/** What models cost, told apart by what one likes. Unknown is never 0. */
export function CostsTab() {
  const { by = 'model', days = 30 } = useSearch({ from: '/gateway' });
  const navigate = useNavigate({ from: '/gateway' });
  const costs = useQuery({
    ...apiQuery('/api/gateway/costs', { params: { query: { by, days } } }),
    refetchInterval: 30_000,
  });
  const chosen = DAYS.includes(days as (typeof DAYS)[number]) ? DAYS : [...DAYS, days];
  return (
    <Panel>
      <div className={styles.filters}>
        <Select
          label="By"
          value={by}
          onChange={({ target }) =>
            void navigate({ search: (held) => ({ ...held, by: target.value as CostDimension }), replace: true })
          }
        >
          {COST_DIMENSIONS.map((dimension) => (
            <option key={dimension} value={dimension}>
              {NAMES[dimension]}
            </option>
          ))}
        </Select>
        <Select
          label="Of the last"
          value={days}
          onChange={({ target }) =>
            void navigate({ search: (held) => ({ ...held, days: Number(target.value) }), replace: true })
          }
        >
          {chosen.map((each) => (
            <option key={each} value={each}>
              {plural(each, 'day')}
            </option>
          ))}
        </Select>
      </div>
      <Loaded query={costs} failed="The costs can't be shown" skeleton={<Skeleton height="40vh" />}>
        {(told) => {
          const all = total(told.costs);
          if (all.calls === 0) {
            return (
              <Empty title={`No model was called in the last ${plural(days, 'day')}`} icon={<Coins />}>
                Ask something, or look further back. Answers of the reader and of the cache call nobody and cost
                nothing.
              </Empty>
            );
          }
          return (
            <>
              <p className={styles.sum}>
                <strong>{costInWords(all, told.currency)}</strong> for {plural(all.calls, 'attempt')} at models
                {all.unknown > 0 && all.unknown < all.calls && (
                  <>, and {plural(all.unknown, 'attempt')} of unknown price on top</>
                )}
              </p>
              {by === 'day' && (
                <CostDays costs={told.costs} since={told.since} until={told.until} currency={told.currency} />
              )}
              <Table
                label={`Costs by ${NAMES[by]}`}
                columns={columns(by, { currency: told.currency, whole: all.micros })}
                rows={by === 'day' ? told.costs.toSorted((one, other) => other.of.localeCompare(one.of)) : told.costs}
                rowKey={({ of }) => of}
              />
              <p className={styles.fine}>
                Every attempt counts: retried, abandoned and failed ones, embeddings and judges. Prices are those of the
                list of {dayInWords(told.price_version)} and of ken.toml.
              </p>
            </>
          );
        }}
      </Loaded>
    </Panel>
  );
}

function columns(by: CostDimension, { currency, whole }: { currency: string; whole: number }): readonly Column<Cost>[] {
  return [
    {
      id: 'of',
      head: NAMES[by].charAt(0).toUpperCase() + NAMES[by].slice(1),
      cell: ({ of }) => (of === '' ? <span className={styles.none}>none</span> : by === 'day' ? dayInWords(of) : of),
    },
    {
      id: 'cost',
      head: 'Cost',
      numeric: true,
      cell: (cost) =>
        costInWords({ calls: cost.calls, micros: cost.cost_micros, unknown: cost.unknown_calls }, currency),
    },
    {
      id: 'share',
      head: 'Share',
      numeric: true,
      secondary: true,
      cell: (cost) => (whole === 0 || cost.unknown_calls === cost.calls ? '–' : percent(cost.cost_micros / whole, 0)),
    },
    {
      id: 'unknown',
      head: 'Unknown price',
      numeric: true,
      cell: (cost) => (cost.unknown_calls === 0 ? 'none' : plural(cost.unknown_calls, 'call')),
    },
    { id: 'calls', head: 'Calls', numeric: true, cell: ({ calls }) => count(calls) },
    {
      id: 'in',
      head: 'Tokens in',
      numeric: true,
      secondary: true,
      cell: (cost) => <span title={count(cost.input_tokens)}>{compact(cost.input_tokens)}</span>,
    },
    {
      id: 'cached',
      head: 'Of these from the provider’s cache',
      numeric: true,
      secondary: true,
      cell: (cost) => <span title={count(cost.cache_read_tokens)}>{compact(cost.cache_read_tokens)}</span>,
    },
    {
      id: 'out',
      head: 'Tokens out',
      numeric: true,
      secondary: true,
      cell: (cost) => <span title={count(cost.output_tokens)}>{compact(cost.output_tokens)}</span>,
    },
    {
      id: 'each',
      head: 'A call',
      numeric: true,
      secondary: true,
      cell: (cost) => {
        const known = cost.calls - cost.unknown_calls;
        return known <= 0 ? '–' : money(cost.cost_micros / known, currency);
      },
    },
  ];
}
