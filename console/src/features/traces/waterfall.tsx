import { useVirtualizer } from '@tanstack/react-virtual';
import { ZoomOut } from 'lucide-react';
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';

import { duration, plural } from '@/lib/format';
import { Button } from '@/ui/button';

import type { Span } from './shapes';
import { ticks, timelineOf, type Row } from './tree';
import { WaterfallRow } from './waterfall-row';
import styles from './waterfall.module.css';
import { useZoom, type Window } from './zoom';

const ROW_PX = 28;
const STEP = 2;

export interface WaterfallProps {
  readonly spans: readonly Span[];
  readonly selected: string | null;
  readonly onSelect: (spanId: string) => void;
}

/** What ran when, nested: a bar a span on one time axis. Drag over the bars for a closer look; arrow keys go through the spans. */
export function Waterfall({ spans, selected, onSelect }: WaterfallProps) {
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const { rows, ms } = useMemo(() => timelineOf(spans, collapsed), [spans, collapsed]);
  const frame = useRef<HTMLDivElement>(null);
  const zoom = useZoom(ms);
  // eslint-disable-next-line react-hooks/incompatible-library -- its functions are called here and passed nowhere
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW_PX,
    overscan: 10,
  });
  const index = Math.max(
    0,
    rows.findIndex((row) => row.span.id === selected),
  );
  const toggle = useCallback((spanId: string, isCollapsed?: boolean) => {
    setCollapsed((now) => {
      const next = new Set(now);
      if (isCollapsed ?? !now.has(spanId)) next.add(spanId);
      else next.delete(spanId);
      return next;
    });
  }, []);
  const arrived = useRef<string | null>(null);
  useEffect(() => {
    // A link to a span that lies further down.
    if (selected === null || arrived.current === selected) return undefined;
    const at = rows.findIndex((row) => row.span.id === selected);
    if (at <= 0) return undefined;
    // Once the frame has been measured, which it hasn't where the address named the span.
    const frameId = requestAnimationFrame(() => {
      arrived.current = selected;
      virtual.scrollToIndex(at, { align: 'center' });
      requestAnimationFrame(() => document.getElementById(`span-${selected}`)?.scrollIntoView({ block: 'nearest' }));
    });
    return () => cancelAnimationFrame(frameId);
  }, [selected, rows, virtual]);
  const onKeyDown = (event: KeyboardEvent) => {
    const wanted = keyed(event.key, { rows, index, toggle, zoom });
    if (wanted === null) return;
    event.preventDefault();
    const row = rows[wanted];
    if (row === undefined) return;
    virtual.scrollToIndex(wanted);
    arrived.current = row.span.id;
    onSelect(row.span.id);
  };
  return (
    <div className={styles.waterfall}>
      <div className={styles.bar}>
        <p role="status">
          {plural(spans.length, 'span')} in {duration(ms)}
          {zoom.isWhole ? '' : `, of which ${duration(zoom.window.from)} to ${duration(zoom.window.to)} is shown`}
        </p>
        <p className={styles.legend}>
          <span className={styles.criticalKey} /> what the end waited for <span className={styles.gapKey} /> no step of
          its own ran
        </p>
        {!zoom.isWhole && (
          <Button small look="quiet" icon={<ZoomOut />} onClick={zoom.reset}>
            Show all of it
          </Button>
        )}
      </div>
      <div
        ref={frame}
        role="treegrid"
        aria-label="Spans"
        aria-rowcount={rows.length}
        aria-activedescendant={rows[index] === undefined ? undefined : `span-${rows[index].span.id}`}
        tabIndex={0}
        className={styles.frame}
        onKeyDown={onKeyDown}
      >
        <Axis window={zoom.window} />
        {}
        <div className={styles.rows} style={{ height: virtual.getTotalSize() }} onPointerDown={zoom.onPointerDown}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            return row === undefined ? null : (
              <WaterfallRow
                key={row.span.id}
                row={row}
                index={item.index}
                top={item.start}
                height={ROW_PX}
                window={zoom.window}
                isSelected={row.span.id === selected}
                onSelect={onSelect}
                onToggle={toggle}
              />
            );
          })}
          {zoom.dragged !== null && (
            <div
              className={styles.dragged}
              style={{ left: `${zoom.dragged.left}px`, width: `${zoom.dragged.width}px` }}
              aria-hidden="true"
            />
          )}
        </div>
      </div>
    </div>
  );
}

function Axis({ window }: { readonly window: Window }) {
  const length = window.to - window.from;
  return (
    <div className={styles.axis} aria-hidden="true">
      <div className={styles.axisName}>Span</div>
      <div className={styles.axisTime}>
        {ticks(window.from, window.to).map((at) => (
          <span key={at} className={styles.tick} style={{ left: `${((at - window.from) / length) * 100}%` }}>
            {at === 0 ? '0' : duration(at)}
          </span>
        ))}
      </div>
    </div>
  );
}

interface Keyed {
  readonly rows: readonly Row[];
  readonly index: number;
  readonly toggle: (spanId: string, isCollapsed?: boolean) => void;
  readonly zoom: ReturnType<typeof useZoom>;
}

/** The row that a key leads to, after what else the key does; null for a key that means nothing here. */
function keyed(key: string, { rows, index, toggle, zoom }: Keyed): number | null {
  const row = rows[index];
  if (row === undefined) return null;
  const last = rows.length - 1;
  switch (key) {
    case 'ArrowDown':
      return Math.min(last, index + 1);
    case 'ArrowUp':
      return Math.max(0, index - 1);
    case 'Home':
      return 0;
    case 'End':
      return last;
    case 'PageDown':
      return Math.min(last, index + 15);
    case 'PageUp':
      return Math.max(0, index - 15);
    case 'ArrowRight':
      if (row.isCollapsed) toggle(row.span.id, false);
      return row.isCollapsed || row.below === 0 ? index : Math.min(last, index + 1);
    case 'ArrowLeft': {
      if (row.below > 0 && !row.isCollapsed) {
        toggle(row.span.id, true);
        return index;
      }
      const above = rows.findLastIndex((each, at) => at < index && each.depth < row.depth);
      return above < 0 ? index : above;
    }
    case '+':
    case '=':
      zoom.around(row.from, row.to, 1 / STEP);
      return index;
    case '-':
      zoom.around(row.from, row.to, STEP);
      return index;
    case '0':
      zoom.reset();
      return index;
    default:
      return null;
  }
}
