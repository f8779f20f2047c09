import type { Paragraph } from 'mdast';

import type { Segment } from './segments';

const LEAST = 5_000;
const MOST = 12_000;

/** Cuts plain text between paragraphs, or between lines where a paragraph goes on for long. */
export function plainSegmentsOf(source: string): readonly Segment[] {
  const out: Segment[] = [];
  let start = 0;
  while (start < source.length) {
    const end = source.length - start <= MOST ? source.length : cutAfter(source, start);
    out.push({ start, end, prefix: '' });
    start = end;
  }
  return out.length ? out : [{ start: 0, end: 0, prefix: '' }];
}

function cutAfter(source: string, start: number): number {
  const blank = /\n[ \t\r]*\n/g;
  blank.lastIndex = start + LEAST;
  const found = blank.exec(source);
  if (found && found.index < start + MOST) return found.index + found[0].length;
  const newline = source.lastIndexOf('\n', start + MOST);
  if (newline > start) return newline + 1;
  const space = source.lastIndexOf(' ', start + MOST);
  return space > start ? space + 1 : start + MOST;
}

/** The paragraphs of plain text as the parser of Markdown would give them. */
export function paragraphsOf(source: string): readonly Paragraph[] {
  const out: Paragraph[] = [];
  for (const match of source.matchAll(/[^\n]*\S[^\n]*(?:\n[^\n]*\S[^\n]*)*/g)) {
    const position = {
      start: { line: 1, column: 1, offset: match.index },
      end: { line: 1, column: 1, offset: match.index + match[0].length },
    };
    out.push({ type: 'paragraph', children: [{ type: 'text', value: match[0], position }], position });
  }
  return out;
}
