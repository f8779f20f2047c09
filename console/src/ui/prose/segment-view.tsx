import type { RootContent } from 'mdast';
import { memo, useMemo, type ReactNode } from 'react';

import { block, type BlockPage } from './blocks';
import { classNames } from '../class-names';
import { mended } from './mend';
import { parsed } from './parse';
import { placeOf, putOf, shared } from './phrasing';
import { paragraphsOf } from './plain';
import styles from './prose.module.css';
import { sameLists, type LocalInsert, type LocalMark, type LocalOutline } from './spans';

/** What is the same for all segments of a text. */
export interface Shared {
  readonly isPlain: boolean;
  readonly headingShift: number;
  readonly idPrefix: string;
  readonly numberOf: (label: string) => number;
  readonly headingId: (start: number) => string | undefined;
  readonly renderLink: (address: string, children: ReactNode) => ReactNode;
}

interface SegmentViewProps {
  readonly prefix: string;
  readonly text: string;
  /** The segment's place in the source, in UTF-16 units. */
  readonly start: number;
  readonly isUnfinished: boolean;
  readonly marks: readonly LocalMark[];
  readonly inserts: readonly LocalInsert[];
  readonly outlines: readonly LocalOutline[];
  readonly shared: Shared;
}

/** One piece of a text; it is drawn again only when something in it changes. */
export const SegmentView = memo(function SegmentView(props: SegmentViewProps) {
  const { prefix, text, isUnfinished, outlines } = props;
  const { isPlain } = props.shared;
  const source = prefix + (isUnfinished && !isPlain ? mended(text) : text);
  const tree = useMemo(
    () => (isPlain ? { blocks: paragraphsOf(source), definitions: new Map<string, never>() } : parsed(prefix, source)),
    [isPlain, prefix, source],
  );
  const page: BlockPage = {
    ...props.shared,
    source,
    marks: props.marks,
    hidden: props.inserts.filter((insert) => insert.end > insert.at).map(({ at, end }) => ({ start: at, end })),
    begun: new Set(),
    definitions: tree.definitions,
    base: props.start - prefix.length,
  };
  const begun = new Set<string>();
  const tabs = outlines.map((outline) => tabOf(outline, tree.blocks, source)).filter((insert) => insert !== null);
  const shares = shared(
    tree.blocks,
    [...tabs, ...props.inserts].toSorted((a, b) => a.at - b.at),
  );
  if (!tree.blocks.length) return putOf(props.inserts);
  return tree.blocks.map((node, index) => (
    <Outlined key={placeOf(node).start} node={node} outlines={outlines} begun={begun}>
      {block(page, node, shares[index] ?? [])}
    </Outlined>
  ));
}, isSame);

function isSame(one: SegmentViewProps, other: SegmentViewProps): boolean {
  return (
    one.prefix === other.prefix &&
    one.text === other.text &&
    one.start === other.start &&
    one.isUnfinished === other.isUnfinished &&
    one.shared === other.shared &&
    sameLists(one.marks, other.marks) &&
    sameLists(one.inserts, other.inserts) &&
    sameLists(one.outlines, other.outlines)
  );
}

/** The label of an outline that begins in the middle of a block, to be put there. */
function tabOf(outline: LocalOutline, nodes: readonly RootContent[], source: string): LocalInsert | null {
  const within = nodes.some((node) => placeOf(node).start < outline.start && outline.start < placeOf(node).end);
  if (!outline.isBegun || !within) return null;
  // The sign before a row or an item belongs to it: the label goes in after that.
  const at = outline.start + (/[|\-*+>#]/.test(source.charAt(outline.start)) ? 1 : 0);
  return { at, end: at, node: <Tab outline={outline} isInside /> };
}

interface OutlinedProps {
  readonly node: RootContent;
  readonly outlines: readonly LocalOutline[];
  /** The outlines whose label is drawn already, in this rendering. */
  readonly begun: Set<string>;
  readonly children: ReactNode;
}

/** A block as a part of the outlines that it lies in. */
function Outlined({ node, outlines, begun, children }: OutlinedProps) {
  const { start, end } = placeOf(node);
  const here = outlines.filter((outline) => outline.start < end && outline.end > start);
  const [first] = here;
  if (!first) return children;
  const labelled = here.filter((outline) => outline.isBegun && outline.start <= start && !begun.has(outline.id));
  for (const outline of labelled) begun.add(outline.id);
  return (
    <div
      className={classNames(
        styles.outlined,
        styles[`parity${first.parity}`],
        here.some((outline) => outline.isBegun && outline.start >= start) && styles.begins,
        here.every((outline) => outline.isEnded && outline.end <= end) && styles.ends,
        here.some((outline) => outline.isCurrent) && styles.isCurrent,
      )}
      data-outline={here.map((outline) => outline.id).join(' ')}
    >
      {labelled.length ? (
        <div className={styles.tabs}>
          {labelled.map((outline) => (
            <Tab key={outline.id} outline={outline} />
          ))}
        </div>
      ) : null}
      {children}
    </div>
  );
}

function Tab({ outline, isInside = false }: { readonly outline: LocalOutline; readonly isInside?: boolean }) {
  return (
    <span className={classNames(styles.tab, isInside && styles.inside)} id={outline.id}>
      {outline.label}
    </span>
  );
}
