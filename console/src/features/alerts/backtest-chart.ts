import type { ChartSeries } from '@/ui/chart-series';

import type { Backtest, BacktestLine } from './shapes';

export interface Drawn {
  readonly times: readonly number[];
  readonly series: readonly ChartSeries[];
}

/** A line of a back-test on an even axis: its value, what it is compared with, and its value once more where it would have fired. */
export function drawn(told: Backtest, line: BacktestLine, compared: string): Drawn {
  const steps = Math.max(1, Math.floor((told.until - told.since) / told.point_s + 1e-6) + 1);
  const times = Array.from({ length: steps }, (_, step) => told.since + step * told.point_s);
  const values: (number | null)[] = times.map(() => null);
  const expected = [...values];
  const firing = [...values];
  line.times.forEach((at, index) => {
    const step = Math.min(steps - 1, Math.floor((at - told.since) / told.point_s + 1e-6));
    const value = line.values[index] ?? null;
    values[step] = value;
    expected[step] = line.expected[index] ?? null;
    if (isFiring(line, at)) firing[step] = value;
  });
  return {
    times,
    series: [
      { id: 'value', name: 'Value', values, colour: 1 },
      { id: 'expected', name: capital(compared), values: expected, colour: 2 },
      ...(line.stays.some(({ state }) => state === 'firing')
        ? [{ id: 'firing', name: 'While firing', values: firing, kind: 'area', colour: 4 } as const]
        : []),
    ],
  };
}

function isFiring(line: BacktestLine, at: number): boolean {
  return line.stays.some(({ state, since, until, is_over }) => {
    const isIn = at >= since && (is_over ? at < until : at <= until);
    return state === 'firing' && isIn;
  });
}

/** What a line is of, in the order in which the server has them. */
export function capital(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

export interface Band {
  readonly kind: 'firing' | 'pending' | 'thin';
  readonly since: number;
  readonly until: number;
}

/** What stands on the strip below a chart, in the order in which it is drawn. */
export function bandsOf(line: BacktestLine): readonly Band[] {
  return [
    ...line.thin.map((span) => ({ kind: 'thin' as const, ...span })),
    ...line.stays.map(({ state, since, until }) => ({ kind: state, since, until })),
  ];
}
