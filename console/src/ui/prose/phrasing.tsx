import type { Definition, PhrasingContent } from 'mdast';
import { Fragment, type ReactNode } from 'react';

import { leafOf, type Page } from './leaf';
import styles from './prose.module.css';
import type { LocalInsert } from './spans';

const SAFE = /^(?:https?:\/\/|mailto:)/i;

/** What a segment's words need to know besides their text. */
export interface Words extends Page {
  readonly definitions: ReadonlyMap<string, Definition>;
  /** A footnote's number, from one; 0 where nothing defines it. */
  readonly numberOf: (label: string) => number;
  /** A link to a place of the same document, or to another one; null where it leads nowhere that people can go. */
  readonly renderLink: (address: string, children: ReactNode) => ReactNode | null;
  readonly idPrefix: string;
}

interface Child {
  readonly position?:
    | {
        readonly start: { readonly offset?: number | undefined };
        readonly end: { readonly offset?: number | undefined };
      }
    | undefined;
}

/** A node's place in the parsed text. */
export function placeOf(node: Child): { start: number; end: number } {
  return { start: node.position?.start.offset ?? 0, end: node.position?.end.offset ?? 0 };
}

/** Hands each insert to the last child that begins before it; to the first child where none does. */
export function shared(children: readonly Child[], inserts: readonly LocalInsert[]): LocalInsert[][] {
  const shares = children.map((): LocalInsert[] => []);
  for (const insert of inserts) {
    const after = children.findLastIndex((child) => placeOf(child).start < insert.at);
    shares[Math.max(0, after)]?.push(insert);
  }
  return shares;
}

/** What is put between the words, where it stands alone. */
export function putOf(inserts: readonly LocalInsert[]): ReactNode {
  return inserts.map((insert, index) => <Fragment key={index}>{insert.node}</Fragment>);
}

/** The inside of a paragraph, a heading, a cell. */
export function phrasing(
  words: Words,
  children: readonly PhrasingContent[],
  inserts: readonly LocalInsert[],
): ReactNode {
  const shares = shared(children, inserts);
  if (!children.length) return putOf(inserts);
  return children.map((child, index) => (
    <Fragment key={placeOf(child).start}>{withInserts(words, child, shares[index] ?? [])}</Fragment>
  ));
}

/** Nodes whose inside can hold an insert take it there; others are followed by it. */
function withInserts(words: Words, node: PhrasingContent, inserts: readonly LocalInsert[]): ReactNode {
  const place = placeOf(node);
  if (node.type === 'text') return leafOf(words, { value: node.value, ...place }, inserts);
  const isOpen = node.type === 'emphasis' || node.type === 'strong' || node.type === 'delete';
  const before = inserts.filter((insert) => insert.at <= place.start);
  const inside = isOpen ? inserts.filter((insert) => insert.at > place.start && insert.at < place.end) : [];
  const after = inserts.filter((insert) => !before.includes(insert) && !inside.includes(insert));
  return (
    <>
      {putOf(before)}
      {elementOf(words, node, inside)}
      {putOf(after)}
    </>
  );
}

function elementOf(words: Words, node: PhrasingContent, inserts: readonly LocalInsert[]): ReactNode {
  const place = placeOf(node);
  switch (node.type) {
    case 'emphasis':
      return <em>{phrasing(words, node.children, inserts)}</em>;
    case 'strong':
      return <strong>{phrasing(words, node.children, inserts)}</strong>;
    case 'delete':
      return <s>{phrasing(words, node.children, inserts)}</s>;
    case 'inlineCode':
      return <code>{leafOf(words, { value: node.value, ...inside(words.source, place) })}</code>;
    case 'break':
      return <br />;
    case 'link':
      return linked(words, node.url, phrasing(words, node.children, []));
    case 'linkReference': {
      const url = words.definitions.get(node.identifier)?.url;
      return linked(words, url ?? '', phrasing(words, node.children, []));
    }
    case 'image':
      return pictured(words, node.url, node.alt ?? '');
    case 'imageReference':
      return pictured(words, words.definitions.get(node.identifier)?.url ?? '', node.alt ?? '');
    case 'footnoteReference':
      return noteReference(words, node.identifier, node.label ?? node.identifier);
    case 'html':
      if (/^<br\s*\/?>$/i.test(node.value)) return <br />;
      return <span className={styles.html}>{leafOf(words, { value: node.value, ...place })}</span>;
    default:
      return null;
  }
}

/** The place of what is between the backticks. */
function inside(source: string, { start, end }: { start: number; end: number }): { start: number; end: number } {
  let width = 0;
  while (source.charAt(start + width) === '`') width += 1;
  return { start: start + width, end: end - width };
}

function linked(words: Words, url: string, children: ReactNode): ReactNode {
  if (SAFE.test(url)) return outward(url, children);
  if (!url || /^[a-z][a-z0-9+.-]*:/i.test(url) || url.startsWith('//')) return children;
  return words.renderLink(url, children) ?? children;
}

function outward(url: string, children: ReactNode): ReactNode {
  return (
    <a href={url} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}

/** A picture is named and linked, never loaded: its server would learn who reads what. */
function pictured(words: Words, url: string, alt: string): ReactNode {
  const text = <span className={styles.picture}>{alt ? `Picture: ${alt}` : 'Picture'}</span>;
  return linked(words, url, text);
}

function noteReference(words: Words, identifier: string, label: string): ReactNode {
  const number = words.numberOf(identifier);
  if (!number) return `[^${label}]`;
  const id = `${words.idPrefix}note-${number}`;
  return <sup>{words.renderLink(`#${id}`, <span aria-label={`Note ${number}`}>{number}</span>) ?? number}</sup>;
}
