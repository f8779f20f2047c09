import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { Chart } from '@/ui/chart';
import type { ChartMarker, Step } from '@/ui/chart-series';

import { whyQuery, type View, type Why } from './data';
import { BEST_SCORE, behind, figureOf, formatOf, lineOf } from './figures';
import { GROUP } from './figure-chart';
import { CHAINS, type Lane } from './plans';
import type { ViewsSearch } from './search';
import styles from './views.module.css';

export interface StoryProps {
  readonly search: ViewsSearch;
  readonly view: View | undefined;
  readonly before: View | undefined;
  readonly than: string;
  readonly onBrush: (window: Step) => void;
  readonly onStep: (window: Step, where: string | undefined) => void;
}

/** One figure below the other on one axis, in the order in which one leads to the next, each with what was usual before. */
export function Story({ search, view, before, than, onBrush, onStep }: StoryProps) {
  const why = useQuery({ ...whyQuery(search), enabled: false });
  return (
    <>
      {CHAINS.map(({ title, lanes }) => (
        <section key={title} className={styles.chain} aria-label={title}>
          <h2>{title}</h2>
          {lanes.map((lane) => (
            <LaneChart key={lane.metric} {...{ lane, view, before, than, onBrush, onStep }} why={why.data} />
          ))}
        </section>
      ))}
    </>
  );
}

interface LaneChartProps extends Omit<StoryProps, 'search'> {
  readonly lane: Lane;
  readonly why: Why | undefined;
}

const NO_TIMES: readonly number[] = [];

function LaneChart({ lane, view, before, than, why, onBrush, onStep }: LaneChartProps) {
  const { metric } = lane;
  const unit = (view && figureOf(view, metric)?.unit) ?? 'count';
  const format = useMemo(() => formatOf(unit, view?.currency ?? 'USD'), [unit, view?.currency]);
  const usual = before === undefined ? null : (lineOf(before, metric)?.whole.value ?? null);
  const series = useMemo(() => {
    const line = view && lineOf(view, metric);
    return line === undefined
      ? []
      : [{ id: metric, name: 'in this window', values: line.values, whole: line.whole.value, kind: 'area' as const }];
  }, [view, metric]);
  const levels = useMemo(
    () => (usual === null ? [] : [{ value: usual, label: `${than}: ${format(usual)}` }]),
    [usual, than, format],
  );
  const markers = useMemo(() => [...happened(view), ...onsets(why, lane)], [view, why, lane]);
  return (
    <Chart
      title={`${lane.title}: ${lane.worse === 'up' ? 'higher is worse ↑' : 'lower is worse ↓'}`}
      {...(unit === 'share' || unit === 'relevance' ? { ceiling: 1 } : unit === 'score' ? { ceiling: BEST_SCORE } : {})}
      group={GROUP}
      height={104}
      loading={view === undefined}
      times={view?.times ?? NO_TIMES}
      stepS={view?.step_s ?? 60}
      {...{ series, levels, format, markers, onBrush }}
      onPoint={(step) => {
        const value = view && lineOf(view, metric)?.values[view.times.indexOf(step.since)];
        onStep(step, behind(metric, { value: value ?? null }));
      }}
    />
  );
}

function happened(view: View | undefined): readonly ChartMarker[] {
  return (view?.markers ?? []).map(({ at, kind, told }) => ({ at, kind, label: told }));
}

/** When the figure began to move, where hypotheses were looked for. */
function onsets(why: Why | undefined, lane: Lane): readonly ChartMarker[] {
  return (why?.moved ?? [])
    .filter(({ metric, dimension }) => dimension === '' && metric === lane.moved)
    .map(({ at, before, after }) => ({ at, kind: 'moved', isWritten: true, label: after > before ? 'rose' : 'fell' }));
}
