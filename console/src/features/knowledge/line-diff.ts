/** A line of a comparison; `at` and `to` bound what differs within a line that was merely changed (UTF-16 offsets). */
export interface DiffLine {
  readonly kind: 'same' | 'added' | 'removed';
  readonly text: string;
  readonly at?: number;
  readonly to?: number;
}

/** Lines that belong together, after `skipped` lines that are the same in both. */
export interface Hunk {
  readonly skipped: number;
  readonly lines: readonly DiffLine[];
}

const CONTEXT = 3;
const MOST_EDITS = 1500;

/**
 * The lines in which two texts differ, with three around each change: the shortest edit script (Myers, An O(ND) Difference Algorithm
 * and Its Variations, 1986). Null where they have so little in common that comparing says nothing.
 */
export function lineDiff(old: string, now: string): readonly Hunk[] | null {
  const lines = edits(old.split('\n'), now.split('\n'));
  return lines === null ? null : hunks(within(lines));
}

function edits(before: readonly string[], after: readonly string[]): DiffLine[] | null {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let tail = 0;
  while (
    tail < before.length - start &&
    tail < after.length - start &&
    before[before.length - 1 - tail] === after[after.length - 1 - tail]
  )
    tail += 1;
  const middle = script(before.slice(start, before.length - tail), after.slice(start, after.length - tail));
  if (middle === null) return null;
  const same = (text: string): DiffLine => ({ kind: 'same', text });
  return [...before.slice(0, start).map(same), ...middle, ...before.slice(before.length - tail).map(same)];
}

function script(before: readonly string[], after: readonly string[]): DiffLine[] | null {
  const [rows, columns] = [before.length, after.length];
  const most = Math.min(rows + columns, MOST_EDITS);
  const reach = new Int32Array(2 * most + 3);
  const middle = most + 1;
  const trail: Int32Array[] = [];
  for (let edit = 0; edit <= most; edit += 1) {
    trail.push(reach.slice());
    for (let diagonal = -edit; diagonal <= edit; diagonal += 2) {
      const down = goesDown(reach, middle, diagonal, edit);
      let x = down ? at(reach, middle + diagonal + 1) : at(reach, middle + diagonal - 1) + 1;
      while (x < rows && x - diagonal < columns && before[x] === after[x - diagonal]) x += 1;
      reach[middle + diagonal] = x;
      if (x >= rows && x - diagonal >= columns) return walkedBack(trail, before, after);
    }
  }
  return null;
}

function walkedBack(trail: readonly Int32Array[], before: readonly string[], after: readonly string[]): DiffLine[] {
  const lines: DiffLine[] = [];
  let x = before.length;
  let y = after.length;
  for (let edit = trail.length - 1; edit >= 0; edit -= 1) {
    const reach = trail[edit] ?? new Int32Array();
    const middle = (reach.length - 1) / 2;
    const diagonal = x - y;
    const down = goesDown(reach, middle, diagonal, edit);
    const fromX = edit === 0 ? 0 : at(reach, middle + diagonal + (down ? 1 : -1));
    const fromY = edit === 0 ? 0 : fromX - (diagonal + (down ? 1 : -1));
    while (x > fromX && y > fromY) {
      x -= 1;
      y -= 1;
      lines.push({ kind: 'same', text: before[x] ?? '' });
    }
    if (edit > 0) {
      if (down) lines.push({ kind: 'added', text: after[(y -= 1)] ?? '' });
      else lines.push({ kind: 'removed', text: before[(x -= 1)] ?? '' });
    }
  }
  return lines.reverse();
}

function goesDown(reach: Int32Array, middle: number, diagonal: number, edit: number): boolean {
  if (diagonal === -edit) return true;
  return diagonal !== edit && at(reach, middle + diagonal - 1) < at(reach, middle + diagonal + 1);
}

function at(reach: Int32Array, index: number): number {
  return reach[index] ?? 0;
}

/** Where as many lines went as came, each pair is compared letter by letter from both ends. */
function within(lines: readonly DiffLine[]): DiffLine[] {
  const result = [...lines];
  for (let start = 0; start < lines.length;) {
    let change = start;
    while (lines[change]?.kind === 'removed') change += 1;
    let end = change;
    while (lines[end]?.kind === 'added') end += 1;
    if (change > start && end - change === change - start) {
      for (let index = start; index < change; index += 1) {
        const other = index + change - start;
        const [from, to] = [lines[index], lines[other]];
        if (from !== undefined && to !== undefined) [result[index], result[other]] = marked(from, to);
      }
    }
    start = Math.max(end, start + 1);
  }
  return result;
}

function marked(old: DiffLine, now: DiffLine): [DiffLine, DiffLine] {
  const least = Math.min(old.text.length, now.text.length);
  let head = 0;
  while (head < least && old.text[head] === now.text[head]) head += 1;
  let tail = 0;
  while (tail < least - head && old.text[old.text.length - 1 - tail] === now.text[now.text.length - 1 - tail])
    tail += 1;
  if (head + tail < least / 3) return [old, now]; // another sentence, not a change within one
  return [
    { ...old, at: head, to: old.text.length - tail },
    { ...now, at: head, to: now.text.length - tail },
  ];
}

function hunks(lines: readonly DiffLine[]): Hunk[] {
  const shown = new Set<number>();
  lines.forEach((line, index) => {
    if (line.kind === 'same') return;
    for (let near = index - CONTEXT; near <= index + CONTEXT; near += 1) shown.add(near);
  });
  const found: { skipped: number; lines: DiffLine[] }[] = [];
  let skipped = 0;
  lines.forEach((line, index) => {
    if (!shown.has(index)) {
      skipped += 1;
      return;
    }
    const last = found.at(-1);
    if (last === undefined || skipped > 0) found.push({ skipped, lines: [line] });
    else last.lines.push(line);
    skipped = 0;
  });
  return found;
}
