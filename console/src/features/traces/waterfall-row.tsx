import { ChevronDown, ChevronRight, TriangleAlert } from 'lucide-react';
import { memo } from 'react';

import { duration } from '@/lib/format';
import { classNames } from '@/ui/class-names';

import { marksOf, type Row } from './tree';
import styles from './waterfall.module.css';
import type { Window } from './zoom';

/** From this depth on, how deep a span stands is said in a number too: a phone's column has no room for more indentation. */
const DEEP = 5;

export interface WaterfallRowProps {
  readonly row: Row;
  readonly index: number;
  readonly top: number;
  readonly height: number;
  readonly window: Window;
  readonly isSelected: boolean;
  readonly onSelect: (spanId: string) => void;
  readonly onToggle: (spanId: string) => void;
}

/** One span: its name, what is to be seen of it at once, its bar. */
export const WaterfallRow = memo(function WaterfallRow(props: WaterfallRowProps) {
  const { row, index, top, height, window, isSelected, onSelect, onToggle } = props;
  const { span } = row;
  const marks = marksOf(span);
  return (
    // eslint-disable-next-line jsx-a11y/interactive-supports-focus, jsx-a11y/click-events-have-key-events -- the treegrid has the focus and the keys (aria-activedescendant)
    <div
      id={`span-${span.id}`}
      role="row"
      aria-level={row.depth + 1}
      aria-rowindex={index + 1}
      aria-selected={isSelected}
      aria-expanded={row.below === 0 ? undefined : !row.isCollapsed}
      className={classNames(styles.row, isSelected && styles.selected, span.status === 'error' && styles.failed)}
      style={{ height, transform: `translateY(${top}px)` }}
      onClick={() => onSelect(span.id)}
    >
      <div
        role="gridcell"
        className={styles.name}
        style={{ paddingInlineStart: `min(${0.3 + row.depth * 0.85}rem, 45%)` }}
      >
        {row.below > 0 ? (
          <button
            type="button"
            tabIndex={-1}
            className={styles.toggle}
            aria-label={row.isCollapsed ? `Show the ${row.below} spans below` : 'Hide the spans below'}
            onClick={(event) => {
              event.stopPropagation();
              onToggle(span.id);
            }}
          >
            {row.isCollapsed ? <ChevronRight /> : <ChevronDown />}
          </button>
        ) : (
          <span className={styles.leaf} />
        )}
        {span.status === 'error' && <TriangleAlert className={styles.alarm} aria-hidden="true" />}
        <span className={styles.label} title={span.name}>
          {row.depth > DEEP && <span className={styles.hidden}>{row.depth}· </span>}
          {span.name}
          {span.service !== '' && <span className={styles.service}> {span.service}</span>}
          {row.isCollapsed && <span className={styles.hidden}> +{row.below}</span>}
        </span>
        {marks.map((mark) => (
          <span key={mark.words} className={classNames(styles.mark, styles[mark.tone])} title={mark.words}>
            {mark.words}
          </span>
        ))}
      </div>
      <div role="gridcell" className={styles.took}>
        {duration(span.ms)}
        {row.isCritical && <span className="unseen">, on the critical path</span>}
      </div>
      <div role="presentation" className={styles.lane} data-time>
        <Bar row={row} window={window} />
      </div>
    </div>
  );
});

function Bar({ row, window }: { readonly row: Row; readonly window: Window }) {
  const length = window.to - window.from;
  const first = Math.max(row.from, window.from);
  const last = Math.min(row.to, window.to);
  if (last < window.from || first > window.to) {
    return <span className={classNames(styles.beyond, row.to < window.from ? styles.before : styles.after)} />;
  }
  const left = ((first - window.from) / length) * 100;
  return (
    <span
      className={classNames(
        styles.drawn,
        row.isCritical && styles.critical,
        row.span.status === 'error' && styles.broken,
      )}
      style={{ left: `${left}%`, width: `${((last - first) / length) * 100}%` }}
    >
      {row.gaps.map(([from, to]) => {
        const start = Math.max(from, first);
        const end = Math.min(to, last);
        return end <= start ? null : (
          <span
            key={from}
            className={styles.gap}
            style={{
              left: `${((start - first) / (last - first)) * 100}%`,
              width: `${((end - start) / (last - first)) * 100}%`,
            }}
          />
        );
      })}
    </span>
  );
}
