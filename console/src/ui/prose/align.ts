import { countWhere } from './code-points';

const REFERENCE = /&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[A-Za-z][A-Za-z\d]{1,31});/y;
/** How far apart a character and its source may lie: the prefix of a line in nested quotes and lists. */
const REACH = 400;

/** Where each unit of a parsed value stands in the source, `from` to `to`; one more entry for its end.
 *
 *  What Markdown takes away lies between: escapes, prefixes of lines in quotes and lists, fences, spaces at a line's end. */
export function placesOf(value: string, source: string, from: number, to: number): Int32Array {
  const places = new Int32Array(value.length + 1);
  let at = from;
  let index = 0;
  while (index < value.length) {
    const width = referenceAt(value, index, source, at);
    if (width > 0) {
      const units = (value.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
      for (let unit = 0; unit < units; unit += 1) places[index + unit] = at;
      index += units;
      at += width;
      continue;
    }
    at = find(value.charAt(index), source, at, to);
    places[index] = at;
    // A line break in code is a space in its value; CRLF is one.
    if (source.charAt(at) === '\r' && value.charAt(index) !== '\r' && source.charAt(at + 1) === '\n') at += 1;
    at = Math.min(at + 1, to);
    index += 1;
  }
  places[value.length] = Math.max(at, places[value.length - 1] ?? from);
  return places;
}

/** The width in the source of a character reference that gives the value's next character; 0 where there's none. */
function referenceAt(value: string, index: number, source: string, at: number): number {
  if (source.charAt(at) !== '&') return 0;
  REFERENCE.lastIndex = at;
  const written = REFERENCE.exec(source)?.[0];
  if (written === undefined || value.startsWith(written, index)) return 0;
  return written.length;
}

function find(character: string, source: string, at: number, to: number): number {
  const limit = Math.min(to, at + REACH);
  for (let place = at; place < limit; place += 1) {
    const there = source.charAt(place);
    if (there === character || (character === ' ' && (there === '\n' || there === '\r'))) return place;
  }
  return at;
}

/** The index in the value of a place in the source: of the first unit that stands there or after. */
export function indexAt(places: Int32Array, place: number): number {
  return countWhere(places.length - 1, (index) => (places[index] ?? 0) < place);
}
