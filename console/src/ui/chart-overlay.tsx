import { useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';

import { INSET } from './chart-option';
import {
  nearest,
  readOut,
  valueInWords,
  type ChartMarker,
  type ChartSeries,
  type Format,
  type Step,
} from './chart-series';
import styles from './chart.module.css';

export interface ChartOverlayProps {
  readonly title: string;
  readonly times: readonly number[];
  readonly stepS: number;
  readonly series: readonly ChartSeries[];
  readonly markers: readonly ChartMarker[];
  readonly format: Format;
  /** The step at the crosshair. */
  readonly step: number | null;
  readonly move: (at: number | null) => void;
  /** The series that the arrow keys have chosen. */
  readonly chosen: string | null;
  readonly onChoose: (series: string | null) => void;
  readonly valueAt: (y: number) => number | null;
  readonly onBrush: ((window: Step) => void) | undefined;
  readonly onPoint: ((step: Step, series: string | null) => void) | undefined;
}

const DRAG_PX = 6;

/** What lies over the drawing: crosshair, markers, the window that is being drawn; and the keys that do the same. */
export function ChartOverlay(props: ChartOverlayProps) {
  const { title, times, stepS, series, markers, format, step, chosen } = props;
  const { range, ...hands } = useHands(props);
  const begin = times[0] ?? 0;
  const length = times.length * stepS;
  const place = (at: number) => `${((at - begin) / length) * 100}%`;
  const said = step === null ? null : readOut(stepOf(props, step), byChosen(series, chosen), { at: step, format });
  return (
    <div
      role="slider"
      tabIndex={0}
      className={styles.overlay}
      style={{ left: INSET.left, right: INSET.right, top: INSET.top, bottom: INSET.bottom }}
      aria-label={`${title}: time`}
      aria-valuemin={0}
      aria-valuemax={times.length - 1}
      aria-valuenow={step ?? times.length - 1}
      aria-valuetext={said ?? 'No moment chosen: the arrow keys choose one'}
      data-can={props.onBrush === undefined ? undefined : 'brush'}
      {...hands}
    >
      {markers
        .filter(({ at }) => at >= begin && at <= begin + length)
        .map(({ at, label, kind, isWritten }) => (
          <i
            key={`${at} ${label}`}
            className={styles.marker}
            data-kind={kind}
            title={label}
            style={{ left: place(at) }}
          >
            {isWritten === true && <span>{label}</span>}
          </i>
        ))}
      {step !== null && (
        <i
          className={styles.crosshair}
          style={{ left: place(begin + step * stepS), width: `${100 / times.length}%` }}
        />
      )}
      {range !== null && (
        <i
          className={styles.brush}
          style={{
            left: place(begin + range[0] * stepS),
            width: `${((range[1] - range[0] + 1) / times.length) * 100}%`,
          }}
        />
      )}
      {chosen !== null && step !== null && (
        <output className={styles.picked}>
          {series
            .filter(({ id }) => id === chosen)
            .map((one) => `${one.name}: ${valueInWords(one.values[step], format)}`)}
        </output>
      )}
    </div>
  );
}

/** Pointer and keys: moving the crosshair, drawing a window, choosing a step. */
function useHands(props: ChartOverlayProps) {
  const { times, series, step, move, chosen, onChoose, valueAt, onBrush, onPoint } = props;
  const [range, setRange] = useState<readonly [number, number] | null>(null);
  const from = useRef<{ readonly x: number; readonly step: number } | null>(null);
  const last = times.length - 1;
  const at = (event: PointerEvent<HTMLElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return Math.min(last, Math.max(0, Math.floor(((event.clientX - left) / Math.max(1, width)) * times.length)));
  };
  const go = (to: number) => move(times[Math.min(last, Math.max(0, to))] ?? null);
  const finish = (drawn: readonly [number, number]) => {
    setRange(null);
    onBrush?.({ since: stepOf(props, drawn[0]).since, until: stepOf(props, drawn[1]).until });
  };
  return {
    range,
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button !== 0) return;
      from.current = { x: event.clientX, step: at(event) };
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      const now = at(event);
      go(now);
      const begun = from.current;
      if (begun === null || onBrush === undefined || Math.abs(event.clientX - begun.x) < DRAG_PX) return;
      setRange([Math.min(begun.step, now), Math.max(begun.step, now)]);
    },
    onPointerUp: (event: PointerEvent<HTMLElement>) => {
      const begun = from.current;
      from.current = null;
      if (begun === null) return;
      if (range !== null) {
        finish(range);
        return;
      }
      const now = at(event);
      const { top } = event.currentTarget.getBoundingClientRect();
      onPoint?.(stepOf(props, now), nearest(series, now, valueAt(event.clientY - top + INSET.top)));
    },
    onPointerCancel: () => {
      from.current = null;
      setRange(null);
    },
    onPointerLeave: () => {
      if (from.current === null) move(null);
    },
    onBlur: () => {
      setRange(null);
      onChoose(null);
      move(null);
    },
    onKeyDown: (event: KeyboardEvent<HTMLElement>) => {
      const now = step ?? last;
      const by = BY_KEY[event.key];
      if (by !== undefined) {
        const next = Math.min(
          last,
          Math.max(0, step === null && by !== -Infinity ? last : now + Math.sign(by) * strideOf(by, last)),
        );
        go(next);
        if (event.shiftKey && onBrush !== undefined) setRange(stretched(range, { from: now, to: next }));
        else setRange(null);
      } else if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
        onChoose(neighbour(series, chosen, event.key === 'ArrowUp' ? -1 : 1));
      } else if (event.key === 'Enter' || event.key === ' ') {
        if (range !== null) finish(range);
        else if (step !== null) onPoint?.(stepOf(props, step), chosen);
      } else if (event.key === 'Escape') {
        setRange(null);
        onChoose(null);
        move(null);
      } else return;
      event.preventDefault();
    },
  };
}

/** Steps that a key goes; those of pages are a tenth of the axis, and the ends are far. */
const BY_KEY: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  PageDown: -0.1,
  PageUp: 0.1,
  Home: -Infinity,
  End: Infinity,
};

function strideOf(by: number, last: number): number {
  const size = Math.abs(by);
  return size < 1 ? Math.max(1, Math.round(size * last)) : size;
}

function stepOf({ times, stepS }: Pick<ChartOverlayProps, 'times' | 'stepS'>, index: number): Step {
  const since = times[index] ?? 0;
  return { since, until: since + stepS };
}

/** A window that grows and shrinks at the end that the keys move. */
function stretched(
  range: readonly [number, number] | null,
  { from, to }: { readonly from: number; readonly to: number },
): readonly [number, number] {
  const fixed = range === null ? from : range[0] === from ? range[1] : range[0];
  return [Math.min(fixed, to), Math.max(fixed, to)];
}

function neighbour(series: readonly ChartSeries[], chosen: string | null, by: number): string | null {
  const now = series.findIndex(({ id }) => id === chosen);
  const next = now === -1 ? (by > 0 ? 0 : series.length - 1) : (now + by + series.length) % series.length;
  return series[next]?.id ?? null;
}

/** The chosen series alone, or all. */
function byChosen(series: readonly ChartSeries[], chosen: string | null): readonly ChartSeries[] {
  const found = series.filter(({ id }) => id === chosen);
  return found.length === 0 ? series : found;
}
