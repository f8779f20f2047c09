import { Fragment, type ReactNode } from 'react';

import { indexAt, placesOf } from './align';
import styles from './prose.module.css';
import type { LocalInsert, LocalMark } from './spans';

/** What the rendering of one segment has at hand. */
export interface Page {
  /** The parsed text: the segment's prefix and its own. */
  readonly source: string;
  readonly marks: readonly LocalMark[];
  /** Ranges that an insert stands in the place of. */
  readonly hidden: readonly { readonly start: number; readonly end: number }[];
  /** The marks whose first words are drawn already, in this rendering. */
  readonly begun: Set<string>;
}

/** Text with a place in the source. */
export interface Leaf {
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** A piece of text with its marks around what they cover, and with what is put between its words. */
export function leafOf(page: Page, leaf: Leaf, inserts: readonly LocalInsert[] = []): ReactNode {
  const inside = (place: number) => place > leaf.start && place < leaf.end;
  const cuts = new Set<number>();
  for (const { start, end } of [...page.marks, ...page.hidden]) {
    if (inside(start)) cuts.add(start);
    if (inside(end)) cuts.add(end);
  }
  for (const { at } of inserts) if (inside(at)) cuts.add(at);
  if (!cuts.size && !inserts.length) return piece(page, leaf.value, leaf.start, leaf.end);

  const places = cuts.size ? placesOf(leaf.value, page.source, leaf.start, leaf.end) : null;
  const borders = [leaf.start, ...[...cuts].toSorted((a, b) => a - b), leaf.end];
  const out: ReactNode[] = [];
  const put = (from: number, to: number) => {
    for (const [index, insert] of inserts.entries()) {
      if (insert.at >= from && insert.at < to) out.push(<Fragment key={`insert-${index}`}>{insert.node}</Fragment>);
    }
  };
  put(-1, leaf.start + 1);
  for (const [order, start] of borders.slice(0, -1).entries()) {
    const end = borders[order + 1] ?? leaf.end;
    const from = places && order > 0 ? indexAt(places, start) : 0;
    const to = places && end < leaf.end ? indexAt(places, end) : leaf.value.length;
    if (order > 0) put(start, start + 1);
    out.push(<Fragment key={`text-${start}`}>{piece(page, leaf.value.slice(from, to), start, end)}</Fragment>);
  }
  put(leaf.end, Infinity);
  return out;
}

/** One piece that every mark covers wholly or not at all. */
function piece(page: Page, text: string, start: number, end: number): ReactNode {
  if (!text || page.hidden.some((each) => each.start <= start && end <= each.end)) return null;
  const covering = page.marks.filter((mark) => mark.start <= start && end <= mark.end);
  return covering.reduceRight<ReactNode>((inner, mark) => marked(page, mark, inner), text);
}

function marked(page: Page, mark: LocalMark, inner: ReactNode): ReactNode {
  const isFirst = mark.isBegun && !page.begun.has(mark.id);
  page.begun.add(mark.id);
  return (
    <mark
      key={mark.id}
      className={styles[mark.tone]}
      data-mark={mark.id}
      {...(isFirst ? { id: mark.id, tabIndex: -1 } : {})}
    >
      {isFirst && mark.label ? <span className={styles.spoken}>{`${mark.label}: `}</span> : null}
      {inner}
    </mark>
  );
}
