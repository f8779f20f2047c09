const ASTRAL = /[\u{10000}-\u{10FFFF}]/gu;

/** Converts between offsets in Unicode code points, which the API counts, and in UTF-16 units, which strings here count. */
export interface CodePoints {
  /** The offset in UTF-16 units of an offset in code points; kept within the text. */
  readonly toUnits: (point: number) => number;
  /** The offset in code points of an offset in UTF-16 units; kept within the text. */
  readonly toPoints: (unit: number) => number;
}

/** The converter of a text. They differ after the first character beyond the basic plane, as emoji are. */
export function codePointsOf(text: string): CodePoints {
  const astral: number[] = []; // where each begins, in units
  for (const match of text.matchAll(ASTRAL)) astral.push(match.index);
  const points = text.length - astral.length;
  return {
    toUnits: (point) => {
      const within = Math.min(Math.max(0, point), points);
      // The i-th astral character begins at code point astral[i] - i.
      return within + countWhere(astral.length, (i) => (astral[i] ?? 0) - i < within);
    },
    toPoints: (unit) => {
      const within = Math.min(Math.max(0, unit), text.length);
      return within - countWhere(astral.length, (i) => (astral[i] ?? 0) < within);
    },
  };
}

/** How many of the numbers 0 to length hold, where those that hold come first. */
export function countWhere(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
