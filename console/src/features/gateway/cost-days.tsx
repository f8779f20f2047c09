import { useMemo } from 'react';

import { money } from '@/lib/format';
import { Chart } from '@/ui/chart';

import { byDay } from './cost-words';
import type { Cost } from './types';

const DAY_S = 86_400;

export interface CostDaysProps {
  readonly costs: readonly Cost[];
  readonly since: number;
  readonly until: number;
  readonly currency: string;
}

/** What each day cost, as bars. A day on which a price was unknown is a gap. */
export function CostDays({ costs, since, until, currency }: CostDaysProps) {
  const { times, values } = useMemo(() => byDay(costs, { since, until }), [costs, since, until]);
  return (
    <Chart
      title="Cost of each day"
      about="Days of UTC. A day on which a call had no known price is a gap, not a zero."
      times={times}
      stepS={DAY_S}
      series={[{ id: 'cost', name: 'cost', kind: 'bar', values }]}
      format={(value) => money(value, currency)}
      atLeast={0}
      empty="Every day had calls without a known price: what they cost is unknown."
    />
  );
}
