import { useCallback, useState, type PointerEvent } from 'react';

/** The part of the time that is drawn, in ms from the trace's start. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

const LEAST_DRAG_PX = 6;
const LEAST_MS = 0.01;

/** Which part of a trace's `ms` is drawn, and how it is chosen: by a drag over elements with `data-time`, or around a span. */
export function useZoom(ms: number) {
  const [chosen, setChosen] = useState<Window | null>(null);
  const [dragged, setDragged] = useState<{ readonly left: number; readonly width: number } | null>(null);
  const window = chosen ?? { from: 0, to: ms };

  const onPointerDown = useCallback(
    (event: PointerEvent<HTMLElement>) => {
      const lane = (event.target as HTMLElement).closest<HTMLElement>('[data-time]');
      if (lane === null || event.button !== 0 || event.pointerType === 'touch') return;
      const rows = event.currentTarget;
      const { left, width } = lane.getBoundingClientRect();
      const base = rows.getBoundingClientRect().left;
      const began = event.clientX;
      const within = (x: number) => Math.min(left + width, Math.max(left, x));
      const reach = (x: number): readonly [number, number] => [Math.min(within(x), began), Math.max(within(x), began)];
      const move = (moved: globalThis.PointerEvent) => {
        const [first, last] = reach(moved.clientX);
        setDragged(last - first < LEAST_DRAG_PX ? null : { left: first - base, width: last - first });
      };
      const up = (ended: globalThis.PointerEvent) => {
        rows.ownerDocument.removeEventListener('pointermove', move);
        setDragged(null);
        const [first, last] = reach(ended.clientX);
        if (last - first < LEAST_DRAG_PX) return;
        setChosen((now) => {
          const from = now?.from ?? 0;
          const length = (now?.to ?? ms) - from;
          const place = (x: number) => from + ((x - left) / width) * length;
          return wide({ from: place(first), to: place(last) }, ms);
        });
      };
      rows.ownerDocument.addEventListener('pointermove', move);
      rows.ownerDocument.addEventListener('pointerup', up, { once: true });
    },
    [ms],
  );

  const around = useCallback(
    (from: number, to: number, factor: number) => {
      setChosen((now) => {
        const length = ((now?.to ?? ms) - (now?.from ?? 0)) * factor;
        if (length >= ms) return null;
        const middle = (from + to) / 2;
        return wide({ from: middle - length / 2, to: middle + length / 2 }, ms);
      });
    },
    [ms],
  );
  const reset = useCallback(() => setChosen(null), []);
  return { window, isWhole: chosen === null, dragged, onPointerDown, around, reset };
}

/** A window within the whole, and wide enough to draw. */
function wide({ from, to }: Window, ms: number): Window {
  const length = Math.max(LEAST_MS, Math.min(ms, to - from));
  const first = Math.min(Math.max(0, from), ms - length);
  return { from: first, to: first + length };
}
