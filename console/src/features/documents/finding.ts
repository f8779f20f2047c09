const SIGNS = '[*_`~\\\\]*';
const GAP = '[\\s>*_`~|]+';
const MOST = 1_000;

/** A range of the text, in UTF-16 units. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Where words stand in a text, whatever Markdown lies between their letters and lines between the words; case counts for nothing. */
export function findIn(text: string, query: string): readonly Range[] {
  const words = query.trim().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const pattern = words.map((word) => [...letters(word)].map(escaped).join(SIGNS)).join(GAP);
  const found: Range[] = [];
  for (const match of text.matchAll(new RegExp(pattern, 'giu'))) {
    found.push({ start: match.index, end: match.index + match[0].length });
    if (found.length === MOST) break;
  }
  return found;
}

function* letters(word: string): Generator<string> {
  for (let at = 0; at < word.length;) {
    const letter = String.fromCodePoint(word.codePointAt(at) ?? 0);
    yield letter;
    at += letter.length;
  }
}

function escaped(letter: string): string {
  return letter.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
