/** How far back an unfinished link is held: a bracket that never closes mustn't hold a whole answer. */
const LONGEST_LABEL = 240;

const MARKER_ALONE = /^[ \t]*(?:[-*+]|\d{1,9}[.)]?|#{1,6}|>|=+|-{2,}|`{1,2}|~{1,2})[ \t]*$/;
const ITEM_OR_HEADING = /^[ \t>]*(?:[-*+]|\d{1,9}[.)]|#{1,6})[ \t]+/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;

/** The tail of a text that is still being written, as it can be shown: what is open is closed, what isn't yet anything is held back.
 *
 *  So nothing that was drawn as text turns into emphasis, code, a link or a table a moment later. */
export function mended(text: string): string {
  const lines = text.split('\n');
  const last = lines.at(-1) ?? '';
  const before = text.slice(0, text.length - last.length);
  const fence = openFence(lines.slice(0, -1));
  if (fence) return /^[ \t]*[`~]+$/.test(last) ? before : text;
  if (MARKER_ALONE.test(last)) return before;
  if (FENCE.test(last)) return text;

  let first = lines.length - 1;
  while (first > 0 && lines[first - 1]?.trim()) first -= 1;
  const paragraph = lines.slice(first);
  if (isTableToBe(paragraph)) return lines.slice(0, first).join('\n') + (first > 0 ? '\n' : '');

  const begin = beginOfWords(paragraph);
  const words = paragraph.join('\n').slice(begin);
  return text.slice(0, text.length - words.length) + closed(words);
}

function openFence(lines: readonly string[]): boolean {
  let open = '';
  for (const line of lines) {
    const fence = FENCE.exec(line)?.[1];
    if (fence === undefined) continue;
    if (!open) open = fence;
    else if (fence.startsWith(open)) open = '';
  }
  return open !== '';
}

/** Whether these lines begin a table whose second line isn't there yet. */
function isTableToBe(lines: readonly string[]): boolean {
  if (!/^[ \t]*\|/.test(lines[0] ?? '') || lines.length > 2) return false;
  return lines.length === 1 || /^[ \t|:-]*$/.test(lines[1] ?? '');
}

/** Where the words of the last block begin that can hold emphasis together: an item, a heading, a cell, a paragraph. */
function beginOfWords(paragraph: readonly string[]): number {
  let at = 0;
  let begin = 0;
  for (const line of paragraph) {
    const marker = ITEM_OR_HEADING.exec(line);
    if (marker) begin = at + marker[0].length;
    if (/^[ \t]*\|/.test(line)) begin = at + line.lastIndexOf('|') + 1;
    at += line.length + 1;
  }
  return begin;
}

interface Open {
  readonly sign: string;
  readonly width: number;
  readonly at: number;
}

/** The words with what is open closed; what can't be read yet is left off. */
function closed(words: string): string {
  const held = words.replace(/(?:\\|&#?\w{0,31}|<[A-Za-z][^\s<>]*|!)$/, '');
  const { open, end, code } = scan(held);
  if (code !== null) {
    const inside = held.slice(code.at + code.width);
    if (!inside.trim()) return closed(held.slice(0, code.at));
    return `${held}${'`'.repeat(code.width)}${signs(open)}`;
  }
  const kept = held.slice(0, end);
  if (!open.length) return end < held.length ? kept.trimEnd() : kept;
  const trimmed = kept.trimEnd();
  const innermost = open.at(-1);
  if (innermost && innermost.at + innermost.width >= trimmed.length)
    return closed(trimmed.slice(0, innermost.at).trimEnd());
  return trimmed + signs(open);
}

function signs(open: readonly Open[]): string {
  return open
    .toReversed()
    .map(({ sign, width }) => sign.repeat(width))
    .join('');
}

/** What is open at the end of the words; `end` lies before what isn't yet anything. */
function scan(words: string): { open: Open[]; end: number; code: { at: number; width: number } | null } {
  const open: Open[] = [];
  const brackets: number[] = [];
  let at = 0;
  while (at < words.length) {
    const sign = words.charAt(at);
    if (sign === '\\') at += 2;
    else if (sign === '`') {
      const width = runAt(words, at);
      const close = closingTicks(words, at + width, width);
      if (close === -1) return { open, end: words.length, code: { at, width } };
      at = close + width;
    } else if (sign === '[') {
      brackets.push(words.charAt(at - 1) === '!' ? at - 1 : at);
      at += 1;
    } else if (sign === ']') {
      const begin = brackets.pop();
      const close = words.charAt(at + 1) === '(' ? words.indexOf(')', at) : at;
      if (close === -1 && begin !== undefined && words.length - begin < 4 * LONGEST_LABEL) {
        return { open: open.filter((each) => each.at < begin), end: begin, code: null };
      }
      at = Math.max(close, at) + 1;
    } else if (sign === '*' || sign === '_' || sign === '~') {
      const width = runAt(words, at);
      const rest = delimiter(words, at, width, open);
      if (rest !== null) return { open, end: rest, code: null };
      at += width;
    } else at += 1;
  }
  const bracket = brackets.find((begin) => words.length - begin < LONGEST_LABEL && !words.slice(begin).includes('\n'));
  if (bracket === undefined) return { open, end: words.length, code: null };
  return { open: open.filter((each) => each.at < bracket), end: bracket, code: null };
}

function runAt(words: string, at: number): number {
  let width = 1;
  while (words.charAt(at + width) === words.charAt(at)) width += 1;
  return width;
}

function closingTicks(words: string, from: number, width: number): number {
  let at = words.indexOf('`', from);
  while (at !== -1) {
    const found = runAt(words, at);
    if (found === width) return at;
    at = words.indexOf('`', at + found);
  }
  return -1;
}

/** Takes in a run of signs; a number where the words must end before it, because what follows decides what it is. */
function delimiter(words: string, at: number, width: number, open: Open[]): number | null {
  const sign = words.charAt(at);
  const [previous, next] = [words.charAt(at - 1), words.charAt(at + width)];
  const same = open.findLastIndex((each) => each.sign === sign);
  if (next === '') {
    const wanted = open[same]?.width ?? 0;
    if (same === -1 || width < wanted) return at; // an opening one, or half of a closing one
  }
  if (sign === '~' && width !== 2) return null;
  const closes = same !== -1 && /\S/.test(previous) && (sign !== '_' || !/\w/.test(next));
  if (closes) {
    const opened = open[same];
    open.splice(same);
    if (opened && opened.width > width) open.push({ ...opened, width: opened.width - width });
    return null;
  }
  const opens = /\S/.test(next) && (sign !== '_' || !/\w/.test(previous));
  if (opens && width <= 3) open.push({ sign, width, at });
  return null;
}
