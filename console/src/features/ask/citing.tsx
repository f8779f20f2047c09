import type { ProseInsert } from '@/ui/prose';

import type { Citation } from '@/lib/api/types';

import styles from './answer.module.css';

const MARKER = /\[(\d+)\](?!\()/g;

/** A citation's marker in an answer's text; offsets are code points, as all of Ken's. */
export interface Marker {
  readonly start: number;
  readonly end: number;
  readonly citation: Citation;
}

/** The markers of a text that a citation stands behind, each with the one whose sentence is nearest. */
export function markersOf(text: string, citations: readonly Citation[]): readonly Marker[] {
  const markers: Marker[] = [];
  let units = 0;
  let points = 0;
  for (const found of text.matchAll(MARKER)) {
    points += length(text.slice(units, found.index));
    units = found.index;
    const own = citations.filter((each) => each.number === Number(found[1]));
    const citation = own.toSorted((a, b) => distance(a, points) - distance(b, points))[0];
    if (citation !== undefined) markers.push({ start: points, end: points + found[0].length, citation });
  }
  return markers;
}

/** In code points, which is what a string yields one by one. */
function length(text: string): number {
  return Array.from(text).length;
}

function distance(citation: Citation, at: number): number {
  return at < citation.answer_start ? citation.answer_start - at : Math.max(0, at - citation.answer_end);
}

/** The markers as buttons. */
export function insertsOf(markers: readonly Marker[], onOpen: (citation: Citation) => void): readonly ProseInsert[] {
  return markers.map(({ start, end, citation }) => ({
    at: start,
    end,
    node: (
      <button
        type="button"
        className={styles.cite}
        aria-label={`Source ${citation.number}: ${citation.document_title}`}
        title={citation.document_title}
        onClick={() => onOpen(citation)}
      >
        {citation.number}
      </button>
    ),
  }));
}

/** Citations by their number, in order; one number is one passage. */
export function byNumber(citations: readonly Citation[]): readonly (readonly Citation[])[] {
  const found = new Map<number, Citation[]>();
  for (const each of citations) found.set(each.number, [...(found.get(each.number) ?? []), each]);
  return [...found.entries()].toSorted(([a], [b]) => a - b).map(([, own]) => own);
}

/** Where a citation's document lies in the console, with its passage. */
export function addressOf(citation: Citation): string {
  const path = citation.document_id.split('/').map(encodeURIComponent).join('/');
  const page = citation.page === null ? '' : `&page=${citation.page}`;
  return `/documents/${path}?start=${citation.start}&end=${citation.end}${page}&version=${citation.version}`;
}

/** An answer as Markdown with its sources below, numbered as in the text, each a link. */
export function asMarkdown(text: string, citations: readonly Citation[], origin: string): string {
  const sources = byNumber(citations).flatMap(([first]) => (first === undefined ? [] : [source(first, origin)]));
  return sources.length === 0 ? text : `${text}\n\n---\n\n${sources.join('\n')}\n`;
}

function source(citation: Citation, origin: string): string {
  const title = citation.document_title.replace(/([\\[\]])/g, '\\$1');
  const more = [placeOf(citation), citation.owner, citation.effective === null ? null : `as of ${citation.effective}`];
  const told = more.filter((each) => each !== null && each !== '').join(', ');
  return `- [${citation.number}] [${title}](${origin}${addressOf(citation)})${told === '' ? '' : `: ${told}`}`;
}

/** The headings and the page that a passage stands under, without the document's own title. */
export function placeOf(citation: Citation): string {
  const path = citation.heading_path.filter((each, at) => at > 0 || each !== citation.document_title);
  return [...path, ...(citation.page === null ? [] : [`page ${citation.page}`])].join(' › ');
}
