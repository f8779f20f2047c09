import { useMemo } from 'react';

import { money, plural } from '@/lib/format';
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

/** What each day cost, as bars, as far as prices are known; days on which one wasn't are marked. */
export function CostDays({ costs, since, until, currency }: CostDaysProps) {
  const { times, values, unknown } = useMemo(() => byDay(costs, { since, until }), [costs, since, until]);
  return (
    <Chart
      title="Cost of each day"
      about="Days of UTC. A mark says that calls of unknown price come on top; a day of such calls alone is a gap."
      times={times}
      stepS={DAY_S}
      series={[{ id: 'cost', name: 'cost', kind: 'bar', values }]}
      format={(value) => money(value, currency)}
      markers={unknown.map(({ at, calls }) => ({
        at,
        label: `${plural(calls, 'call')} of unknown price on top`,
      }))}
      atLeast={0}
      empty="Every day had calls without a known price: what they cost is unknown."
    />
  );
}
