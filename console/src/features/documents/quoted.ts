/** A piece of text on a page, as the PDF's own text has it. */
export interface PagePiece {
  readonly text: string;
}

/** Of one piece: which of its characters are quoted. */
export interface QuotedPart {
  readonly index: number;
  readonly from: number;
  readonly to: number;
}

/** Finds a quotation among the pieces of a page: spaces, line ends, hyphens and Markdown's signs count for nothing. Empty where it isn't there. */
export function quotedParts(pieces: readonly PagePiece[], quote: string): readonly QuotedPart[] {
  const places: (readonly [piece: number, at: number])[] = [];
  let page = '';
  pieces.forEach(({ text }, index) => {
    for (const [at, character] of text.split('').entries()) {
      const letters = folded(character);
      page += letters;
      places.push(...Array.from({ length: letters.length }, () => [index, at] as const));
    }
  });
  const wanted = folded(quote);
  const found = wanted === '' ? null : (span(page, wanted) ?? partial(page, wanted));
  if (found === null) return [];
  const parts = new Map<number, QuotedPart>();
  for (const [index, at] of places.slice(found.start, found.end)) {
    const known = parts.get(index);
    parts.set(index, { index, from: known?.from ?? at, to: at + 1 });
  }
  return [...parts.values()];
}

/** How far into a piece's width a character begins, 0 to 1: letters differ in width. */
export function shareOf(text: string, at: number, widthOf: (some: string) => number): number {
  const whole = widthOf(text);
  return whole === 0 ? 0 : widthOf(text.slice(0, at)) / whole;
}

/** How many of a quotation's letters and digits stand on a page, in one place. */
export function quotedLength(pieces: readonly PagePiece[], quote: string): number {
  return quotedParts(pieces, quote).reduce(
    (sum, { index, from, to }) => sum + folded(pieces[index]?.text.slice(from, to) ?? '').length,
    0,
  );
}

/** How many letters and digits a quotation has: where a page holds as many, the whole of it is there. */
export function quoteLength(quote: string): number {
  return folded(quote).length;
}

function folded(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}

function span(page: string, wanted: string): { start: number; end: number } | null {
  const start = page.indexOf(wanted);
  return start === -1 ? null : { start, end: start + wanted.length };
}

/** A passage may begin or end on a neighbouring page: then its longest beginning or end that is here. */
function partial(page: string, wanted: string): { start: number; end: number } | null {
  const least = Math.min(16, wanted.length);
  const head = longest(wanted.length, least, (size) => page.includes(wanted.slice(0, size)));
  const tail = longest(wanted.length, least, (size) => page.includes(wanted.slice(-size)));
  if (head === 0 && tail === 0) return null;
  return head >= tail ? span(page, wanted.slice(0, head)) : span(page, wanted.slice(-tail));
}

/** The largest size at which it holds, where it holds for all smaller ones; 0 where not even for the least. */
function longest(most: number, least: number, holds: (size: number) => boolean): number {
  if (!holds(least)) return 0;
  let [low, high] = [least, most];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
