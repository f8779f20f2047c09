// The server counts Unicode code points; JavaScript counts UTF-16 units. They differ after the first emoji.

const ASTRAL = /[\u{10000}-\u{10FFFF}]/u;

/** A function from code point offsets in `text` to UTF-16 offsets. */
export function unitsOf(text) {
  if (!ASTRAL.test(text)) return (offset) => offset;
  const starts = [];
  let units = 0;
  for (const character of text) {
    starts.push(units);
    units += character.length;
  }
  starts.push(units);
  return (offset) => starts[Math.min(offset, starts.length - 1)];
}
