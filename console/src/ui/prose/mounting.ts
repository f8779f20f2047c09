import { useEffect, useMemo, useRef, useState, type RefObject } from 'react';

/** Up to so many segments are drawn at once; more are drawn as they come near, and one by one while nothing else happens. */
const AT_ONCE = 400;
const NEAR = '1200px 0px';

/** Which segments of a long text are drawn; `require` draws one at once. */
export interface Mounting {
  readonly isMounted: (index: number) => boolean;
  readonly require: (index: number) => void;
}

/** Draws a long text piece by piece, beginning with the pieces around `first`. */
export function useMounting(
  count: number,
  isLong: boolean,
  first: number,
  container: RefObject<HTMLElement | null>,
): Mounting {
  const isAll = !isLong && count <= AT_ONCE;
  const [mounted, setMounted] = useState<ReadonlySet<number>>(() => new Set([0, 1, first - 1, first, first + 1]));
  const add = useRef((index: number) => {
    setMounted((known) => (known.has(index) ? known : new Set([...known, index])));
  });

  useEffect(() => {
    if (isAll || typeof IntersectionObserver === 'undefined') return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          if (entry.isIntersecting && entry.target instanceof HTMLElement)
            add.current(Number(entry.target.dataset.segment));
        }
      },
      { rootMargin: NEAR },
    );
    for (const element of container.current?.querySelectorAll('[data-segment]') ?? []) observer.observe(element);
    return () => observer.disconnect();
  }, [isAll, count, container]);

  useEffect(() => {
    if (isAll) return undefined;
    const next = nearestMissing(mounted, count, first);
    if (next === null) return undefined;
    return whenIdle(() => add.current(next));
  }, [isAll, mounted, count, first]);

  return useMemo(
    () => ({
      isMounted: (index: number) => isAll || mounted.has(index),
      require: (index: number) => add.current(index),
    }),
    [isAll, mounted],
  );
}

function nearestMissing(mounted: ReadonlySet<number>, count: number, first: number): number | null {
  for (let distance = 0; distance < count; distance += 1) {
    for (const index of [first + distance, first - distance]) {
      if (index >= 0 && index < count && !mounted.has(index)) return index;
    }
  }
  return null;
}

function whenIdle(act: () => void): () => void {
  if (typeof requestIdleCallback === 'function') {
    const id = requestIdleCallback(act, { timeout: 500 });
    return () => cancelIdleCallback(id);
  }
  const id = setTimeout(act, 16);
  return () => clearTimeout(id);
}
