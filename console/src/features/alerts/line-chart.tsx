import { useMemo } from 'react';

import { Chart } from '@/ui/chart';

import { bandsOf, drawn } from './backtest-chart';
import { BandStrip } from './band-strip';
import type { Backtest, BacktestLine } from './shapes';
import { comparedWith, valueInWords } from './words';

export interface LineChartProps {
  readonly title: string;
  readonly told: Backtest;
  readonly line: BacktestLine;
  readonly compare: string | undefined;
  readonly currency: string;
  readonly height?: number;
}

/** The value of one line of a back-test beside what it is compared with, and below it when it would have fired. */
export function LineChart({ title, told, line, compare, currency, height = 150 }: LineChartProps) {
  const plan = useMemo(() => drawn(told, line, comparedWith(compare)), [told, line, compare]);
  const until = told.since + plan.times.length * told.point_s;
  return (
    <div>
      <Chart
        title={title}
        times={plan.times}
        stepS={told.point_s}
        series={plan.series}
        height={height}
        atLeast={0}
        legendRows={2}
        format={(value) => valueInWords(value, told.unit, currency)}
        empty="No value was counted in this time."
      />
      <BandStrip bands={bandsOf(line)} since={told.since} until={until} />
    </div>
  );
}
