import { Table2 } from 'lucide-react';
import { useId, useMemo, useRef, useState, type ReactNode } from 'react';

import { IconButton } from './button';
import { ChartCanvas, type ChartCanvasHandle } from './chart-canvas';
import { useCrosshair } from './chart-group';
import { ChartLegend } from './chart-legend';
import { INSET } from './chart-option';
import { ChartOverlay } from './chart-overlay';
import {
  stepAt,
  stepInWords,
  type ChartLevel,
  type ChartMarker,
  type ChartSeries,
  type Format,
  type Step,
} from './chart-series';
import { ChartTable } from './chart-table';
import styles from './chart.module.css';

export interface ChartProps {
  /** What is shown, with its unit where the figures don't say it. */
  readonly title: string;
  /** A sentence on how to read it, shown with the title. */
  readonly about?: string;
  /** Where each step begins, seconds since the epoch; steps are equally long. */
  readonly times: readonly number[];
  readonly stepS: number;
  readonly series: readonly ChartSeries[];
  /** How a value is written, on the axis as in words. */
  readonly format: Format;
  readonly markers?: readonly ChartMarker[];
  readonly levels?: readonly ChartLevel[];
  readonly atLeast?: number;
  readonly atMost?: number;
  /** What no value can exceed, such as 1 of a share. */
  readonly ceiling?: number;
  /** Of the plot in pixels. It never changes with the data. */
  readonly height?: number;
  /** Rows of the legend that room is kept for, so that nothing moves when the data come. */
  readonly legendRows?: number;
  /** Charts of a group share the crosshair. */
  readonly group?: string;
  /** Nothing is there yet. */
  readonly loading?: boolean;
  /** What stands in the place of a chart without a single known value. */
  readonly empty?: ReactNode;
  /** A window was drawn over the chart. */
  readonly onBrush?: (window: Step) => void;
  /** A step was chosen; with the series that is nearest to the pointer, or chosen by the arrow keys. */
  readonly onPoint?: (step: Step, series: string | null) => void;
}

const HEIGHT = 160;

/** Lines, areas or bars over time, with a crosshair that its group shares, and the same figures as a table. */
export function Chart(props: ChartProps) {
  const { title, about, times, stepS, series, format, height = HEIGHT, legendRows = 1, loading = false } = props;
  const id = useId();
  const [at, move] = useCrosshair(props.group ?? id);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [chosen, setChosen] = useState<string | null>(null);
  const [isTable, setIsTable] = useState(false);
  const canvas = useRef<ChartCanvasHandle>(null);
  const shown = useMemo(() => coloured(series).filter((one) => !hidden.has(one.id)), [series, hidden]);
  const step = at === null ? null : stepAt(times, stepS, at);
  const isEmpty = !loading && !series.some(({ values }) => values.some((value) => value !== null));
  const { atLeast, atMost, ceiling, levels } = props;
  const plan = useMemo(
    () => ({
      times,
      stepS,
      series: shown,
      format,
      height,
      ...(levels === undefined ? {} : { levels }),
      ...(atLeast === undefined ? {} : { atLeast }),
      ...(atMost === undefined ? {} : { atMost }),
      ...(ceiling === undefined ? {} : { ceiling }),
    }),
    [times, stepS, shown, format, height, levels, atLeast, atMost, ceiling],
  );
  return (
    <figure className={styles.chart} aria-labelledby={`${id}-title`} aria-busy={loading}>
      <figcaption className={styles.head}>
        <span id={`${id}-title`} className={styles.title} title={about}>
          {title}
        </span>
        <span className={styles.when} aria-hidden="true">
          {step !== null && stepInWords(stepOf(times, stepS, step))}
        </span>
        <IconButton
          small
          label={isTable ? `Show ${title} as a chart` : `Show ${title} as a table`}
          aria-pressed={isTable}
          disabled={loading || isEmpty}
          onClick={() => setIsTable(!isTable)}
        >
          <Table2 size={14} />
        </IconButton>
      </figcaption>
      <ChartLegend
        series={coloured(series)}
        rows={legendRows}
        at={step}
        {...{ format, hidden, chosen }}
        onToggle={(one) => setHidden(toggled(hidden, one, series))}
      />
      <div className={styles.plot} style={{ height }}>
        {isTable ? (
          <ChartTable title={title} {...{ times, stepS, series, format }} />
        ) : (
          <>
            {!isEmpty && !loading && <ChartCanvas ref={canvas} plan={plan} height={height} />}
            {loading && <div className={styles.waiting} style={{ left: INSET.left, right: INSET.right }} />}
            {isEmpty && <div className={styles.empty}>{props.empty ?? 'Nothing was counted in this window.'}</div>}
            {!loading && times.length > 0 && (
              <ChartOverlay
                {...{ title, times, stepS, format, step, move, chosen }}
                series={shown}
                markers={props.markers ?? []}
                valueAt={(y) => canvas.current?.valueAt(y) ?? null}
                onChoose={setChosen}
                onBrush={props.onBrush}
                onPoint={props.onPoint}
              />
            )}
          </>
        )}
      </div>
    </figure>
  );
}

function stepOf(times: readonly number[], stepS: number, index: number): Step {
  const since = times[index] ?? 0;
  return { since, until: since + stepS };
}

/** Each series with its colour for good, so that hiding one recolours none. */
function coloured(series: readonly ChartSeries[]): readonly ChartSeries[] {
  return series.map((one, place) => ({ ...one, colour: one.colour ?? place + 1 }));
}

/** Hide or show one; when none would be left, all are shown again. */
function toggled(hidden: ReadonlySet<string>, id: string, series: readonly ChartSeries[]): ReadonlySet<string> {
  const next = new Set(hidden);
  if (!next.delete(id)) next.add(id);
  return series.every((one) => next.has(one.id)) ? new Set() : next;
}
