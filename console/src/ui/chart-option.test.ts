import { describe, expect, it } from 'vitest';

import { chartOption, colourOf, INSET, type ChartColours, type ChartPlan } from './chart-option';
import { lonely, nearest, readOut, stepAt, type ChartSeries } from './chart-series';
import { sparklinePaths } from './sparkline';

const COLOURS: ChartColours = {
  series: ['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8'],
  soft: 'soft',
  line: 'line',
  paper: 'paper',
  font: 'sans',
};
const T0 = new Date(2026, 10, 20, 14).getTime() / 1000;
const percent = (value: number) => `${(value * 100).toFixed(0)} %`;

function plan(series: readonly ChartSeries[], rest: Partial<ChartPlan> = {}): ChartPlan {
  return { times: [T0, T0 + 3600, T0 + 7200], stepS: 3600, series, format: percent, ...rest };
}

/** The parts of an option that the tests look at. */
interface Seen {
  readonly series: readonly {
    readonly type: string;
    readonly data: readonly (readonly [number, number | null])[];
    readonly connectNulls?: boolean;
    readonly lineStyle?: { readonly color: string; readonly type?: unknown };
    readonly symbolSize?: (value: unknown, at: { readonly dataIndex: number }) => number;
    readonly stack?: string;
  }[];
  readonly xAxis: { readonly min: number; readonly max: number };
  readonly yAxis: {
    readonly min: number;
    readonly max?: (told: { max: number }) => number;
    readonly axisLabel: { readonly formatter: (value: number) => string };
  };
  readonly animation: boolean;
}

function seen(chart: ChartPlan): Seen {
  return chartOption(chart, COLOURS) as unknown as Seen;
}

describe('what is drawn', () => {
  it('leaves a gap where a value is unknown, and never a zero', () => {
    const [line] = seen(plan([{ id: 'a', name: 'A', values: [0.2, null, 0.4] }])).series;
    expect(line?.data.map(([, value]) => value)).toEqual([0.2, null, 0.4]);
    expect(line?.connectNulls).toBe(false);
  });

  it('shows a value between two gaps as a dot', () => {
    const [line] = seen(plan([{ id: 'a', name: 'A', values: [null, 0.2, null] }])).series;
    expect([0, 1, 2].map((dataIndex) => line?.symbolSize?.(null, { dataIndex }))).toEqual([0, 5, 0]);
  });

  it('puts a value in the middle of its step, and the axis over all steps', () => {
    const { series, xAxis } = seen(plan([{ id: 'a', name: 'A', values: [1, 2, 3] }]));
    expect(series[0]?.data[0]?.[0]).toBe((T0 + 1800) * 1000);
    expect([xAxis.min, xAxis.max]).toEqual([T0 * 1000, (T0 + 3 * 3600) * 1000]);
  });

  it('tells lines apart by colour and by dashes', () => {
    const names = ['a', 'b', 'c', 'd'];
    const { series } = seen(plan(names.map((name) => ({ id: name, name, values: [1, 1, 1] }))));
    const looks = series.map(({ lineStyle }) => JSON.stringify(lineStyle?.type));
    expect(new Set(looks).size).toBe(4);
    expect(new Set(series.map(({ lineStyle }) => lineStyle?.color)).size).toBe(4);
  });

  it('gives a series its own colour wherever it stands', () => {
    expect(colourOf({ id: 'a', name: 'A', values: [], colour: 3 }, 0)).toBe(3);
    expect(colourOf({ id: 'a', name: 'A', values: [] }, 8)).toBe(1);
  });

  it('begins the axis at 0, goes below for what is below, and up to what has to be seen', () => {
    expect(seen(plan([{ id: 'a', name: 'A', values: [0.5, 0.9, 0.7] }])).yAxis.min).toBe(0);
    expect(seen(plan([{ id: 'a', name: 'A', values: [-0.5, 0.9, 0.7] }])).yAxis.min).toBe(-0.5);
    const { yAxis } = seen(plan([{ id: 'a', name: 'A', values: [0.5] }], { levels: [{ value: 2, label: 'limit' }] }));
    expect([yAxis.max?.({ max: 0.5 }), yAxis.max?.({ max: 3.7 })]).toEqual([2, 4]);
  });

  it('ends at what no value can exceed, where values come near it', () => {
    const high = [{ id: 'a', name: 'A', values: [0.2, 0.97] }];
    expect(seen(plan(high, { ceiling: 1 })).yAxis.max?.({ max: 0.97 })).toBe(1);
    expect(seen(plan([{ id: 'a', name: 'A', values: [0.02] }], { ceiling: 1 })).yAxis.max).toBeUndefined();
    const scores = plan([{ id: 'a', name: 'A', values: [3.9, 4.8] }], { atLeast: 1, atMost: 5, ceiling: 5 });
    expect(chartOption(scores, COLOURS).yAxis).toMatchObject({ min: 1, interval: 2 });
  });

  it('writes the axis as values are written', () => {
    expect(seen(plan([])).yAxis.axisLabel.formatter(0.25)).toBe('25 %');
  });

  it('stands at the same place in every chart, whatever its figures are', () => {
    const wide = chartOption(plan([{ id: 'a', name: 'A', values: [1e9] }]), COLOURS).grid;
    expect(wide).toMatchObject({ left: INSET.left, right: INSET.right, outerBoundsMode: 'none' });
  });

  it('moves nothing by itself', () => {
    expect(seen(plan([])).animation).toBe(false);
  });
});

describe('what is read', () => {
  it('finds the step of a moment, and none outside', () => {
    const times = [100, 160, 220];
    expect([99, 100, 159, 160, 279, 280].map((at) => stepAt(times, 60, at))).toEqual([null, 0, 0, 1, 2, null]);
    expect(stepAt([], 60, 100)).toBeNull();
  });

  it('says when, and every value; unknown in words', () => {
    const series = [
      { id: 'a', name: 'p95', values: [0.5] },
      { id: 'b', name: 'p99', values: [null] },
    ];
    const said = readOut({ since: T0, until: T0 + 3600 }, series, { at: 0, format: percent });
    expect(said).toBe('Fri 20 Nov, 14:00 to 15:00: p95 50 %, p99 unknown');
  });

  it('finds the series that is nearest to the pointer', () => {
    const series = [
      { id: 'low', name: 'Low', values: [1] },
      { id: 'high', name: 'High', values: [10] },
      { id: 'none', name: 'None', values: [null] },
    ];
    expect(nearest(series, 0, 8)).toBe('high');
    expect(nearest(series, 0, 2)).toBe('low');
    expect(nearest(series, 0, null)).toBeNull();
  });

  it('finds the layer of a stack that the pointer lies in', () => {
    const series = ['a', 'b', 'c'].map((id) => ({ id, name: id, values: [10], stack: 's' }));
    expect([4, 14, 29].map((height) => nearest(series, 0, height))).toEqual(['a', 'b', 'c']);
  });

  it('knows which values have no neighbours', () => {
    expect([...lonely([1, null, 2, 3, null, 4])]).toEqual([0, 5]);
  });
});

describe('a small line', () => {
  it('is broken where nothing is known', () => {
    expect(sparklinePaths([1, 2, null, 3], { width: 30, height: 12 })).toHaveLength(2);
    expect(sparklinePaths([null, null], { width: 30, height: 12 })).toEqual([]);
  });

  it('stands on zero', () => {
    const [path] = sparklinePaths([5, 10], { width: 10, height: 12 });
    expect(path).toBe('M0 6L10 1');
  });
});
