import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef, type KeyboardEvent, type ReactNode } from 'react';

import { classNames } from './class-names';
import styles from './table.module.css';

export interface Column<Row> {
  readonly id: string;
  readonly head: ReactNode;
  readonly cell: (row: Row) => ReactNode;
  /** Figures stand at the end, so that their digits stand below each other. */
  readonly numeric?: boolean;
  /** CSS width in a VirtualTable's grid: `minmax(12rem, 1fr)`, `6rem`. */
  readonly width?: string;
  /** Left out where the table is narrower than 40 rem. */
  readonly secondary?: boolean;
}

export interface TableProps<Row> {
  /** What the rows are, for screen readers. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  /** Below the head where there are no rows. */
  readonly empty?: ReactNode;
}

/** A table of up to some hundred rows. It scrolls sideways in its own frame where it is too wide. */
export function Table<Row>({ label, columns, rows, rowKey, empty }: TableProps<Row>) {
  if (rows.length === 0 && empty !== undefined) return empty;
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must take the focus (WCAG 2.1.1)
    <div className={styles.frame} role="region" aria-label={label} tabIndex={0}>
      <table className={styles.table}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.id} scope="col" className={cellClass(column)}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((column) => (
                <td key={column.id} className={cellClass(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export interface VirtualTableProps<Row> extends TableProps<Row> {
  /** Pixels. Every row has it, so that scrolling never has to measure. */
  readonly rowHeight?: number;
  /** CSS height of the scrolling frame. */
  readonly height: string;
  /** Enter or a click on a row. */
  readonly onOpen?: (row: Row) => void;
  readonly selected?: string | null;
  /** Called when the last rows come near. */
  readonly onEnd?: () => void;
  /** Below the last row: "Loading more", "That is all". */
  readonly foot?: ReactNode;
}

/** A table of tens of thousands of rows: only those in sight are drawn. Arrow keys, Page and Home/End move between rows. */
export function VirtualTable<Row>(props: VirtualTableProps<Row>) {
  const { label, columns, rows, rowKey, rowHeight = 40, height, onOpen, selected, onEnd, foot, empty } = props;
  const frame = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library -- its functions are called here and passed nowhere
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    onChange: (instance) => {
      const last = instance.getVirtualItems().at(-1);
      if (last !== undefined && last.index >= rows.length - 20) onEnd?.();
    },
  });
  const template = columns.map((column) => column.width ?? 'minmax(6rem, 1fr)').join(' ');
  const move = (event: KeyboardEvent<HTMLElement>) => {
    const index = Number((event.target as HTMLElement).closest<HTMLElement>('[data-index]')?.dataset.index ?? -1);
    const wanted = nextRow(
      event.key,
      index,
      rows.length,
      Math.max(1, Math.floor(frameHeight(frame.current) / rowHeight)),
    );
    if (wanted === null) return;
    event.preventDefault();
    virtual.scrollToIndex(wanted);
    requestAnimationFrame(() => frame.current?.querySelector<HTMLElement>(`[data-index="${wanted}"]`)?.focus());
  };
  if (rows.length === 0 && empty !== undefined) return empty;
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- rows take the focus; keys bubble up here
    <div
      ref={frame}
      role="table"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      className={classNames(styles.frame, styles.virtual)}
      style={{ height }}
      onKeyDown={move}
    >
      <div role="row" aria-rowindex={1} className={styles.headRow} style={{ gridTemplateColumns: template }}>
        {columns.map((column) => (
          <div key={column.id} role="columnheader" className={cellClass(column)}>
            {column.head}
          </div>
        ))}
      </div>
      <div role="rowgroup" className={styles.rows} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const row = rows[item.index];
          if (row === undefined) return null;
          const key = rowKey(row);
          return (
            <div
              key={key}
              role="row"
              aria-rowindex={item.index + 2}
              aria-current={selected === key || undefined}
              data-index={item.index}
              tabIndex={item.index === 0 || selected === key ? 0 : -1}
              className={classNames(styles.row, onOpen !== undefined && styles.opens)}
              style={{ height: rowHeight, transform: `translateY(${item.start}px)`, gridTemplateColumns: template }}
              onClick={() => onOpen?.(row)}
              onKeyDown={(event) => {
                if (event.key === 'Enter' && event.target === event.currentTarget) onOpen?.(row);
              }}
            >
              {columns.map((column) => (
                <div key={column.id} role="cell" className={cellClass(column)}>
                  {column.cell(row)}
                </div>
              ))}
            </div>
          );
        })}
      </div>
      {foot !== undefined && <div className={styles.foot}>{foot}</div>}
    </div>
  );
}

/** The row that a key leads to; null where it leads nowhere. */
export function nextRow(key: string, index: number, rows: number, page: number): number | null {
  if (index < 0 || rows === 0) return null;
  const wanted = {
    ArrowDown: index + 1,
    ArrowUp: index - 1,
    PageDown: index + page,
    PageUp: index - page,
    Home: 0,
    End: rows - 1,
  }[key];
  return wanted === undefined ? null : Math.min(rows - 1, Math.max(0, wanted));
}

function frameHeight(frame: HTMLElement | null): number {
  return frame?.clientHeight ?? 0;
}

function cellClass<Row>(column: Column<Row>): string {
  return classNames(column.numeric === true && styles.numeric, column.secondary === true && styles.secondary);
}
