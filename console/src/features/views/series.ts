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

/** The series of a chart, of a view's panels. Of more groups than can be told apart, those with the most observations. */
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
  const most = new Set(
    [...lines]
      .sort(([, one], [, other]) => weight(other, plan) - weight(one, plan))
      .slice(0, MOST)
      .map(([group]) => group),
  );
  const questions = plan.perQuestion === true ? lineOf(view, 'ms.p50') : undefined;
  const series = lines
    .filter(([group]) => most.has(group))
    .map(([group, line]) => ({
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
  return { unit: figure?.unit ?? 'count', series, left: lines.length - series.length };
}

/** What a group is chosen by: layers by their thickness, others by how much was observed. */
function weight(line: View['panels'][number]['figures'][string]['lines'][string], plan: ChartPlan): number {
  return plan.perQuestion === true || plan.by === 'stage'
    ? line.whole.count * (line.whole.value ?? 0)
    : line.whole.count;
}

/** A mean over some questions as a mean over all of them. */
function spread(mean: number | null, seen = 0, all = 0): number | null {
  if (all === 0) return null;
  return mean === null ? 0 : (mean * seen) / all;
}
