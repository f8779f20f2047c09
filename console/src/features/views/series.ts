import type { ChartSeries } from '@/ui/chart-series';

import type { View } from './data';
import { figureOf, lineOf, type Unit } from './figures';
import type { ChartPlan } from './plans';
import { metricInWords, valueInWords } from './words';

/** As many as the series colours tell apart. */
const MOST = 8;

export interface Drawn {
  readonly unit: Unit;
  readonly series: readonly ChartSeries[];
  /** Groups that are left out, as they are the least. */
  readonly left: number;
}

/** The series of a chart, of a view's panels. Of more groups than can be told apart, the greatest; what is left of a stack together. */
export function seriesOf(view: View, plan: ChartPlan): Drawn {
  const { metrics, by, kind = 'line' } = plan;
  const look = { kind, ...(plan.isStacked === true ? { stack: 'all' } : {}) };
  if (by === undefined) {
    const found = metrics.flatMap((metric) => {
      const line = lineOf(view, metric);
      return line === undefined
        ? []
        : [{ id: metric, name: metricInWords(metric), values: line.values, whole: line.whole.value, ...look }];
    });
    return { unit: figureOf(view, metrics[0] ?? '')?.unit ?? 'count', series: found, left: 0 };
  }
  const figure = figureOf(view, metrics[0] ?? '', by);
  const lines = Object.entries(figure?.lines ?? {}).filter(([, line]) => line.whole.count > 0);
  const questions = plan.perQuestion === true ? lineOf(view, 'ms.p50') : undefined;
  const series = lines.map(([group, line]) => ({
    id: group,
    name: valueInWords(group),
    values:
      questions === undefined
        ? line.values
        : line.values.map((value, at) => spread(value, line.counts[at], questions.counts[at])),
    whole:
      questions === undefined ? line.whole.value : spread(line.whole.value, line.whole.count, questions.whole.count),
    ...look,
  }));
  return { unit: figure?.unit ?? 'count', ...fewEnough(series, plan.isStacked === true) };
}

/** What is left out of a stack stands on top of it; of lines there is no sum. */
function fewEnough(series: readonly ChartSeries[], isStacked: boolean): Pick<Drawn, 'series' | 'left'> {
  if (series.length <= MOST) return { series, left: 0 };
  const most = isStacked ? MOST - 1 : MOST;
  const ranked = [...series].sort((one, other) => size(other) - size(one)).map(({ id }) => id);
  const kept = new Set(ranked.slice(0, most));
  const shown = series.filter(({ id }) => kept.has(id));
  const [first, ...others] = series.filter(({ id }) => !kept.has(id));
  if (!isStacked || first === undefined) return { series: shown, left: series.length - most };
  const rest = others.reduce((sum, one) => together(sum, one), {
    ...first,
    id: OTHERS,
    name: `${others.length + 1} others`,
  });
  return { series: [...shown, rest], left: 0 };
}

const OTHERS = 'others';

function together(one: ChartSeries, other: ChartSeries): ChartSeries {
  const values = one.values.map((value, at) => plus(value, other.values[at] ?? null));
  return { ...one, values, whole: plus(one.whole ?? null, other.whole ?? null) };
}

function plus(one: number | null, other: number | null): number | null {
  return one === null ? other : other === null ? one : one + other;
}

/** What groups are chosen by, where there are too many: the greatest stay. */
function size({ whole, values }: ChartSeries): number {
  return whole ?? Math.max(0, ...values.map((value) => value ?? 0));
}

/** A mean over some questions as a mean over all of them. */
function spread(mean: number | null, seen = 0, all = 0): number | null {
  if (all === 0) return null;
  return mean === null ? 0 : (mean * seen) / all;
}
