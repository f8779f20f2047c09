import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { apiQuery, type Got } from '@/lib/api/client';
import { percent } from '@/lib/format';
import { Badge, type Tone } from '@/ui/badge';
import { Chart } from '@/ui/chart';
import type { ChartSeries } from '@/ui/chart-series';
import { Meter } from '@/ui/meter';
import { Loaded, Skeleton } from '@/ui/states';

import styles from './budget-card.module.css';
import { amount, limitInWords, paceInWords, resetInWords, shortAmount, unknownInWords, whose } from './budget-words';
import type { Budget } from './types';

const DAY_S = 86_400;
/** Above the limit, for its label. */
const HEADROOM = 1.15;
const TONES: Readonly<Record<Budget['state'], Tone>> = { normal: 'good', short: 'warn', exhausted: 'fault' };
const WORDS: Readonly<Record<Budget['state'], string>> = {
  normal: 'Enough left',
  short: 'Short',
  exhausted: 'Used up',
};

export interface BudgetCardProps {
  readonly budget: Budget;
  readonly currency: string;
  /** It binds whoever looks. */
  readonly isOwn: boolean;
  /** By the server's clock, in seconds. */
  readonly now: number;
}

/** One budget, for one whom it binds: how far it is used up, against an even pace, day by day, and what comes at the limit. */
export function BudgetCard({ budget, currency, isOwn, now }: BudgetCardProps) {
  const told = (value: number) => amount(budget, value, currency);
  const unknown = unknownInWords(budget);
  return (
    <article className={styles.card} aria-label={`${budget.name}, for ${whose(budget, isOwn)}`}>
      <header className={styles.head}>
        <h2>{budget.name}</h2>
        <Badge tone={TONES[budget.state]}>{WORDS[budget.state]}</Badge>
        <p>
          For {whose(budget, isOwn)}, a {budget.period}
        </p>
      </header>
      <p className={styles.sum}>
        <strong>{told(budget.used)}</strong> of {told(budget.limit)} (
        {percent(budget.share, budget.share < 0.1 ? 1 : 0)})
      </p>
      <Meter
        label={`Used of ${budget.name}`}
        share={budget.share}
        told={`${told(budget.used)} of ${told(budget.limit)}; an even pace would be ${told(budget.even)}`}
        tone={TONES[budget.state]}
        mark={budget.elapsed}
      />
      <p className={styles.pace}>
        {paceInWords(budget, currency)} <span>The mark is an even pace: {told(budget.even)} by now.</span>
      </p>
      <Days budget={budget} currency={currency} />
      <ul className={styles.told}>
        <li>{limitInWords(budget)}</li>
        <li>{resetInWords(budget, now)}</li>
        {budget.reserved > 0 && <li>{told(budget.reserved)} of it is held for calls under way.</li>}
        {unknown !== null && <li>{unknown}</li>}
      </ul>
    </article>
  );
}

function Days({ budget, currency }: { readonly budget: Budget; readonly currency: string }) {
  const days = useQuery({
    ...apiQuery('/api/gateway/budgets/days', { params: { query: { name: budget.name, of: budget.of } } }),
    refetchInterval: 60_000,
  });
  return (
    <Loaded query={days} failed="The days can't be shown" skeleton={<Skeleton height="13rem" />}>
      {(told) => <Burn told={told} budget={budget} currency={currency} />}
    </Loaded>
  );
}

interface BurnProps {
  readonly told: Got<'/api/gateway/budgets/days'>;
  readonly budget: Budget;
  readonly currency: string;
}

function Burn({ told, budget, currency }: BurnProps) {
  const { times, series } = useMemo(() => burn(told.days, budget), [told.days, budget]);
  const isMonth = budget.period === 'month';
  return (
    <Chart
      title={isMonth ? 'Used since the month began' : 'Used on each day'}
      times={times}
      stepS={DAY_S}
      series={series}
      format={(value) => shortAmount(told.is_money, value, currency)}
      levels={[{ value: told.limit, label: 'limit' }]}
      atLeast={0}
      atMost={told.limit * HEADROOM}
      height={130}
    />
  );
}

/** The sum of a month beside an even pace; for a budget by the day its last days. */
export function burn(
  days: readonly { readonly day: string; readonly used: number }[],
  budget: Pick<Budget, 'period' | 'began_at' | 'resets_at' | 'limit'>,
): { readonly times: readonly number[]; readonly series: readonly ChartSeries[] } {
  const first = Date.parse(`${days[0]?.day ?? '1970-01-01'}T00:00:00Z`) / 1000;
  if (budget.period === 'day') {
    return {
      times: days.map((_, place) => first + place * DAY_S),
      series: [{ id: 'used', name: 'used', kind: 'bar', values: days.map(({ used }) => used) }],
    };
  }
  const length = Math.round((budget.resets_at - budget.began_at) / DAY_S);
  let sum = 0;
  const sums = days.map(({ used }) => (sum += used));
  const places = Array.from({ length }, (_, place) => place);
  return {
    times: places.map((place) => first + place * DAY_S),
    series: [
      { id: 'used', name: 'used', kind: 'area', values: places.map((place) => sums[place] ?? null) },
      {
        id: 'even',
        name: 'even pace',
        kind: 'line',
        colour: 8,
        values: places.map((place) => (budget.limit * (place + 1)) / length),
      },
    ],
  };
}
