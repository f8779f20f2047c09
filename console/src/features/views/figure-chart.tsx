import { memo, useMemo } from 'react';

import { Chart } from '@/ui/chart';
import type { Step } from '@/ui/chart-series';

import type { View } from './data';
import { BEST_SCORE, behind, formatOf } from './figures';
import type { ChartPlan } from './plans';
import { seriesOf } from './series';

/** The charts of the page share one crosshair. */
export const GROUP = 'views';

export interface FigureChartProps {
  readonly plan: ChartPlan;
  readonly view: View | undefined;
  readonly onBrush: (window: Step) => void;
  /** A step was chosen, and what its traces have in common besides. */
  readonly onStep: (window: Step, where: string | undefined) => void;
}

/** What the legend of a chart takes up, about, in a card of the usual width. */
const IN_A_ROW = 2;
const ROWS_OF_GROUPS = 3;
const NO_TIMES: readonly number[] = [];

/** A chart of a view's figures. */
export const FigureChart = memo(function FigureChart({ plan, view, onBrush, onStep }: FigureChartProps) {
  const drawn = useMemo(() => (view === undefined ? null : seriesOf(view, plan)), [view, plan]);
  const unit = drawn?.unit ?? 'count';
  const currency = view?.currency ?? 'USD';
  const format = useMemo(() => formatOf(unit, currency), [unit, currency]);
  const markers = useMemo(
    () => (view?.markers ?? []).map(({ at, kind, told }) => ({ at, kind, label: told })),
    [view?.markers],
  );
  const left = drawn?.left ?? 0;
  return (
    <Chart
      title={left > 0 ? `${plan.title} (${left} more are left out)` : plan.title}
      {...(plan.about === undefined ? {} : { about: plan.about })}
      legendRows={plan.by === undefined ? Math.ceil(plan.metrics.length / IN_A_ROW) : ROWS_OF_GROUPS}
      {...(plan.atLeast === undefined ? {} : { atLeast: plan.atLeast })}
      {...(plan.atMost === undefined ? {} : { atMost: plan.atMost })}
      {...(unit === 'share' || unit === 'relevance' ? { ceiling: 1 } : unit === 'score' ? { ceiling: BEST_SCORE } : {})}
      group={GROUP}
      loading={view === undefined}
      times={view?.times ?? NO_TIMES}
      stepS={view?.step_s ?? 60}
      series={drawn?.series ?? []}
      format={format}
      markers={markers}
      onBrush={onBrush}
      onPoint={(step, id) => onStep(step, view === undefined ? undefined : common(view, plan, { step, id }))}
    />
  );
});

/** What the traces behind a point have in common: of a line of its own the figure, else the group. */
function common(view: View, plan: ChartPlan, { step, id }: { step: Step; id: string | null }): string | undefined {
  const [metric = ''] = plan.metrics;
  if (id === null || id === 'others') return undefined;
  const chosen = plan.by === undefined ? id : metric;
  const group = plan.by === undefined ? '' : id;
  const panel = view.panels.find((each) => each.by === (plan.by ?? '') && chosen in each.figures);
  const at = view.times.indexOf(step.since);
  const value = panel?.figures[chosen]?.lines[group]?.values[at] ?? null;
  return behind(chosen, { by: plan.by ?? '', group, value });
}
