import type { AlignType, FootnoteDefinition, List, ListItem, RootContent, Table, TableRow } from 'mdast';
import { createElement, Fragment, type ReactNode } from 'react';

import { leafOf } from './leaf';
import { phrasing, placeOf, putOf, shared, type Words } from './phrasing';
import styles from './prose.module.css';
import { Scroller } from './scroller';
import type { LocalInsert } from './spans';

/** What a segment's blocks need to know besides their text. */
export interface BlockPage extends Words {
  readonly headingShift: number;
  /** From the parsed text to the whole source: added to a place, it gives the place there. */
  readonly base: number;
  /** A heading's id, by its place in the whole source. */
  readonly headingId: (start: number) => string | undefined;
}

/** Blocks in order, each with what is put into it. */
export function blocks(page: BlockPage, nodes: readonly RootContent[], inserts: readonly LocalInsert[]): ReactNode {
  const shares = shared(nodes, inserts);
  if (!nodes.length) return putOf(inserts);
  return nodes.map((node, index) => (
    <Fragment key={placeOf(node).start}>{block(page, node, shares[index] ?? [])}</Fragment>
  ));
}

/** One block. */
export function block(page: BlockPage, node: RootContent, inserts: readonly LocalInsert[]): ReactNode {
  const place = placeOf(node);
  const at = page.base + place.start;
  switch (node.type) {
    case 'paragraph':
      return <p data-start={at}>{phrasing(page, node.children, inserts)}</p>;
    case 'heading': {
      const tag = `h${Math.min(6, node.depth + page.headingShift)}`;
      const id = page.headingId(at);
      return createElement(
        tag,
        { 'data-start': at, ...(id === undefined ? {} : { id, tabIndex: -1 }) },
        phrasing(page, node.children, inserts),
      );
    }
    case 'blockquote':
      return <blockquote>{blocks(page, node.children, inserts)}</blockquote>;
    case 'list':
      return list(page, node, inserts);
    case 'listItem':
      return item(page, node, true, inserts);
    case 'table':
      return table(page, node, inserts);
    case 'thematicBreak':
      return (
        <>
          <hr />
          {putOf(inserts)}
        </>
      );
    case 'code':
      return (
        <>
          <Scroller label={node.lang ? `Listing, ${node.lang}` : 'Listing'}>
            <pre data-start={at}>
              <code>{leafOf(page, { value: node.value, ...listing(page.source, place) })}</code>
            </pre>
          </Scroller>
          {putOf(inserts)}
        </>
      );
    case 'html':
      return (
        <p className={styles.html} data-start={at}>
          {leafOf(page, { value: node.value, ...place })}
          {putOf(inserts)}
        </p>
      );
    case 'footnoteDefinition':
      return footnote(page, node, inserts);
    case 'definition':
      return putOf(inserts);
    default:
      return putOf(inserts);
  }
}

/** The place of a listing's lines: after the line of its fence, where it has one. */
function listing(source: string, { start, end }: { start: number; end: number }): { start: number; end: number } {
  const isFenced = /^[`~]{3}/.test(source.slice(start, start + 3));
  const newline = isFenced ? source.indexOf('\n', start) : -1;
  return newline === -1 || newline >= end ? { start, end } : { start: newline + 1, end };
}

function list(page: BlockPage, node: List, inserts: readonly LocalInsert[]): ReactNode {
  const shares = shared(node.children, inserts);
  const isLoose = node.spread === true || node.children.some((child) => child.spread === true);
  const items = node.children.map((child, index) => (
    <Fragment key={placeOf(child).start}>{item(page, child, isLoose, shares[index] ?? [])}</Fragment>
  ));
  const hasTasks = node.children.some((child) => typeof child.checked === 'boolean');
  const className = hasTasks ? styles.tasks : undefined;
  if (!node.ordered) return <ul className={className}>{items}</ul>;
  return (
    <ol className={className} start={node.start ?? 1}>
      {items}
    </ol>
  );
}

function item(page: BlockPage, node: ListItem, isLoose: boolean, inserts: readonly LocalInsert[]): ReactNode {
  const shares = shared(node.children, inserts);
  const isTask = typeof node.checked === 'boolean';
  return (
    <li data-start={page.base + placeOf(node).start}>
      {isTask ? (
        <input type="checkbox" checked={node.checked ?? false} disabled aria-label={node.checked ? 'Done' : 'To do'} />
      ) : null}
      {node.children.length ? null : putOf(inserts)}
      {node.children.map((child, index) => (
        <Fragment key={placeOf(child).start}>
          {child.type === 'paragraph' && !isLoose
            ? phrasing(page, child.children, shares[index] ?? [])
            : block(page, child, shares[index] ?? [])}
        </Fragment>
      ))}
    </li>
  );
}

function table(page: BlockPage, node: Table, inserts: readonly LocalInsert[]): ReactNode {
  const shares = shared(node.children, inserts);
  const align = node.align ?? [];
  const [head, ...body] = node.children.map((child, index) => (
    <Fragment key={placeOf(child).start}>
      {row(page, child, index === 0 ? 'th' : 'td', align, shares[index] ?? [])}
    </Fragment>
  ));
  return (
    <Scroller label="Table">
      <table>
        <thead>{head}</thead>
        {body.length ? <tbody>{body}</tbody> : null}
      </table>
    </Scroller>
  );
}

function row(
  page: BlockPage,
  node: TableRow,
  tag: 'th' | 'td',
  align: readonly AlignType[],
  inserts: readonly LocalInsert[],
): ReactNode {
  const shares = shared(node.children, inserts);
  return (
    <tr data-start={page.base + placeOf(node).start}>
      {node.children.map((cell, column) =>
        createElement(
          tag,
          { key: column, 'data-align': align[column] ?? undefined, scope: tag === 'th' ? 'col' : undefined },
          phrasing(page, cell.children, shares[column] ?? []),
        ),
      )}
    </tr>
  );
}

function footnote(page: BlockPage, node: FootnoteDefinition, inserts: readonly LocalInsert[]): ReactNode {
  const number = page.numberOf(node.identifier);
  return (
    <div
      className={styles.note}
      id={`${page.idPrefix}note-${number}`}
      role="note"
      data-start={page.base + placeOf(node).start}
    >
      <span className={styles.noteNumber}>{number}.</span>
      <div>{blocks(page, node.children, inserts)}</div>
    </div>
  );
}
