/** A piece of the source that can be parsed alone, in UTF-16 units; `prefix` is what its parser must have read before it. */
export interface Segment {
  readonly start: number;
  readonly end: number;
  readonly prefix: string;
}

/** A heading found without parsing, for the outline of a document. */
export interface HeadingAt {
  readonly level: number;
  readonly text: string;
  /** In UTF-16 units. */
  readonly start: number;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const CONTINUES = /^(?:[ \t]|[-*+]\s|\d{1,9}[.)]\s|>|\||<)/;
const ITEM = /^(?:[-*+]|\d{1,9}[.)])\s/;
const HEADING = /^ {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/;
const UNDERLINE = /^ {0,3}(=+|-+)[ \t]*$/;
const DELIMITERS = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const DEFINITION = /^ {0,3}\[([^\]\n]+)\]:[ \t]*\S/;

/** Longer texts are parsed in larger pieces: what one piece costs to mount counts then, not what one change costs. */
export const FINE_UP_TO = 24_000;
const COARSE = 5_000;
/** A piece without any safe border is cut at the next line: a table or a listing of a megabyte mustn't freeze the page. */
const HARD = 8_000;

interface Line {
  readonly start: number;
  readonly text: string;
}

function* linesOf(source: string): Generator<Line> {
  let start = 0;
  while (start < source.length) {
    const newline = source.indexOf('\n', start);
    const end = newline === -1 ? source.length : newline;
    const text = source.slice(start, source.charCodeAt(end - 1) === 13 && end > start ? end - 1 : end);
    yield { start, text };
    start = end + 1;
  }
}

/** Whether we stand in a fenced listing, line by line. */
class Fences {
  opening = '';
  private closing = '';

  /** Takes in a line; true where it belongs to a listing or borders one. */
  take(text: string): boolean {
    const fence = FENCE.exec(text)?.[1];
    if (this.closing) {
      const bare = text.trim();
      if (bare.length >= this.closing.length && bare === this.closing.charAt(0).repeat(bare.length)) {
        this.closing = '';
        this.opening = '';
      }
      return true;
    }
    if (fence === undefined) return false;
    this.closing = fence;
    this.opening = text;
    return true;
  }
}

/** What a cut in mid-block must repeat, so that the rest is read as what it is. */
class Table {
  header = '';
  private previous = '';

  take(text: string): void {
    if (!text.includes('|') || !text.trim()) this.header = '';
    else if (!this.header && DELIMITERS.test(text) && this.previous.includes('|'))
      this.header = `${this.previous}\n${text}\n`;
    this.previous = text;
  }
}

/** Cuts Markdown where no block is cut in two: at blank lines before what begins in the first column. */
export function segmentsOf(source: string): readonly Segment[] {
  const least = source.length > FINE_UP_TO ? COARSE : 0;
  const cuts: { at: number; prefix: string }[] = [{ at: 0, prefix: '' }];
  const fences = new Fences();
  const table = new Table();
  let isBlank = false;
  let last = 0;
  for (const { start, text } of linesOf(source)) {
    const size = start - last;
    const opening = fences.opening;
    const inListing = fences.take(text) && opening !== '';
    const isSafe = !inListing && isBlank && text.trim() !== '' && !CONTINUES.test(text);
    const isForced = size > HARD && (inListing || table.header || ITEM.test(text) || isBlank || size > 2 * HARD);
    if (start > 0 && ((isSafe && size >= least) || isForced)) {
      cuts.push({ at: start, prefix: isSafe ? '' : inListing ? `${opening}\n` : table.header });
      last = start;
    }
    if (!inListing) table.take(text);
    isBlank = text.trim() === '';
  }
  const found = definitionsOf(source);
  return cuts.map(({ at, prefix }, index) => {
    const end = cuts[index + 1]?.at ?? source.length;
    return { start: at, end, prefix: needed(found, source, at, end) + prefix };
  });
}

interface Definition {
  readonly start: number;
  readonly label: string;
  readonly text: string;
}

function definitionsOf(source: string): Definition[] {
  if (!source.includes(']:')) return [];
  const fences = new Fences();
  const out: Definition[] = [];
  for (const { start, text } of linesOf(source)) {
    const label = fences.take(text) ? undefined : DEFINITION.exec(text)?.[1];
    if (label !== undefined) out.push({ start, label: label.toLowerCase(), text: text.trimStart() });
  }
  return out;
}

/** The definitions of links and footnotes that stand elsewhere, and that this piece names. */
function needed(definitions: readonly Definition[], source: string, start: number, end: number): string {
  if (!definitions.length) return '';
  const text = source.slice(start, end).toLowerCase();
  const named = definitions.filter(
    (each) => (each.start < start || each.start >= end) && text.includes(`[${each.label}]`),
  );
  const [notes, links] = [
    named.filter((each) => each.label.startsWith('^')),
    named.filter((each) => !each.label.startsWith('^')),
  ];
  return [...notes, ...links].map((each) => `${each.text}\n\n`).join('');
}

/** The footnotes' labels in the order in which the text names them: a note's number is its place, from one. */
export function footnotesOf(source: string): readonly string[] {
  const defined = new Set(
    definitionsOf(source).flatMap(({ label }) => (label.startsWith('^') ? [label.slice(1)] : [])),
  );
  if (!defined.size) return [];
  const named = [...source.matchAll(/\[\^([^\]\s]+)\](?!:)/g)].map((match) => (match[1] ?? '').toLowerCase());
  return [...new Set([...named.filter((label) => defined.has(label)), ...defined])];
}

/** The headings of a source, in order. */
export function headingsOf(source: string): readonly HeadingAt[] {
  const out: HeadingAt[] = [];
  const fences = new Fences();
  let previous: Line | null = null;
  for (const line of linesOf(source)) {
    if (fences.take(line.text)) {
      previous = null;
      continue;
    }
    const [, signs, text] = HEADING.exec(line.text) ?? [];
    const underline = UNDERLINE.exec(line.text)?.[1];
    if (signs !== undefined && text) out.push({ level: signs.length, text: bare(text), start: line.start });
    else if (underline && previous?.text.trim() && !CONTINUES.test(previous.text) && !HEADING.test(previous.text)) {
      out.push({ level: underline.startsWith('=') ? 1 : 2, text: bare(previous.text), start: previous.start });
    }
    previous = line;
  }
  return out;
}

/** A heading's text without its Markdown. */
function bare(text: string): string {
  return text
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/(\*\*|__|\*|~~|`)/g, '')
    .replace(/\\(.)/g, '$1')
    .trim();
}
