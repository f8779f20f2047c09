import { useEffect, useImperativeHandle, useRef, useState, type Ref } from 'react';

import type { Drawing } from './chart-engine';
import { chartOption, COLOURS, type ChartColours, type ChartPlan } from './chart-option';
import styles from './chart.module.css';

export interface ChartCanvasHandle {
  /** The value that stands at a height of the plot, in pixels from its top; null before it is drawn. */
  readonly valueAt: (y: number) => number | null;
}

export interface ChartCanvasProps {
  readonly plan: ChartPlan;
  readonly height: number;
  readonly ref?: Ref<ChartCanvasHandle>;
}

type Engine = typeof import('./chart-engine');
let engine: Promise<Engine> | undefined;

/** Fetch what draws charts, once; a page that will show some can call it before there are data. */
export function loadCharts(): Promise<Engine> {
  engine ??= import('./chart-engine').catch((error: unknown) => {
    engine = undefined; // the next chart tries again
    throw error;
  });
  return engine;
}

/** The drawing itself: hidden from screen readers, which have the overlay and the table. Drawn once it is near the screen. */
export function ChartCanvas({ plan, height, ref }: ChartCanvasProps) {
  const holder = useRef<HTMLDivElement>(null);
  const drawing = useRef<Drawing>(null);
  const width = useWidth(holder);
  const isNear = useNear(holder);
  const scheme = useScheme(isNear);
  const [failed, setFailed] = useState(false);
  useImperativeHandle(ref, () => ({ valueAt: (y) => drawing.current?.valueAt(y) ?? null }), []);
  useEffect(() => {
    const element = holder.current;
    if (element === null || !isNear || width === 0) return;
    let isGone = false;
    const show = ({ draw }: Engine) => {
      if (isGone) return;
      drawing.current ??= draw(element, { width, height });
      drawing.current.show(chartOption(plan, coloursOf(element)), { width, height });
    };
    loadCharts().then(show, () => setFailed(true));
    return () => {
      isGone = true;
    };
  }, [plan, width, height, isNear, scheme]);
  useEffect(
    () => () => {
      drawing.current?.dispose();
      drawing.current = null;
    },
    [],
  );
  return (
    <>
      <div ref={holder} className={styles.canvas} aria-hidden="true" />
      {failed && <div className={styles.empty}>The drawing could not be fetched. Its table has the figures.</div>}
    </>
  );
}

/** The width in whole pixels. The holder takes no part in the layout, so that drawing never changes it. */
function useWidth(ref: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = ref.current;
    if (element === null || typeof ResizeObserver === 'undefined') return;
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return width;
}

/** Whether the element has come near the screen; once it has, for good. */
function useNear(ref: React.RefObject<HTMLElement | null>): boolean {
  const [isNear, setIsNear] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (element === null || typeof IntersectionObserver === 'undefined') return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        setIsNear(true);
        observer.disconnect();
      },
      { rootMargin: '120px' },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return isNear;
}

/** Changes with the colour scheme, whoever chose it; looked at once there is something to draw. */
function useScheme(isNear: boolean): number {
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    if (!isNear) return;
    const changed = () => setChanges((before) => before + 1);
    const observer = new MutationObserver(changed);
    observer.observe(document.documentElement, {
      attributes: true,
      attributeFilter: ['data-scheme'],
    });
    const asked = window.matchMedia('(prefers-color-scheme: dark)');
    asked.addEventListener('change', changed);
    return () => {
      observer.disconnect();
      asked.removeEventListener('change', changed);
    };
  }, [isNear]);
  return changes;
}

/** The custom properties as colours: the browser works them out on a probe, `light-dark()` and all. */
function coloursOf(element: HTMLElement): ChartColours {
  const probe = document.createElement('span');
  element.append(probe);
  const colour = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const found = {
    series: Array.from({ length: COLOURS }, (_, place) => colour(`--series-${place + 1}`)),
    soft: colour('--soft'),
    line: colour('--line'),
    paper: colour('--raised'),
    font: getComputedStyle(element).fontFamily,
  };
  probe.remove();
  return found;
}
