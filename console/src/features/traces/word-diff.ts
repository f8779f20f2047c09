/** A run of words that both texts have, or one of them. */
export interface Run {
  readonly kind: 'same' | 'old' | 'new';
  readonly text: string;
}

const MOST_CELLS = 4_000_000;

/** What became of one text in another, by words (longest common subsequence; Hunt and Szymanski 1977 tell of its kind). */
export function wordDiff(before: string, after: string): readonly Run[] {
  const old = wordsOf(before);
  const now = wordsOf(after);
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  const middle = between(old.slice(head, old.length - tail), now.slice(head, now.length - tail));
  const runs: Run[] = [];
  const put = (kind: Run['kind'], text: string) => {
    const last = runs.at(-1);
    if (text === '') return;
    if (last?.kind === kind) runs[runs.length - 1] = { kind, text: last.text + text };
    else runs.push({ kind, text });
  };
  put('same', old.slice(0, head).join(''));
  for (const run of middle) put(run.kind, run.text);
  put('same', old.slice(old.length - tail).join(''));
  return runs;
}

/** Words with the space behind them. */
function wordsOf(text: string): string[] {
  return text.match(/\S+\s*|\s+/g) ?? [];
}

function between(old: readonly string[], now: readonly string[]): readonly Run[] {
  if (old.length * now.length > MOST_CELLS) {
    return [
      { kind: 'old', text: old.join('') },
      { kind: 'new', text: now.join('') },
    ];
  }
  const width = now.length + 1;
  const lengths = new Uint32Array((old.length + 1) * width);
  const at = (row: number, column: number) => lengths[row * width + column] ?? 0;
  for (let row = old.length - 1; row >= 0; row -= 1) {
    for (let column = now.length - 1; column >= 0; column -= 1) {
      lengths[row * width + column] =
        old[row] === now[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const runs: Run[] = [];
  let row = 0;
  let column = 0;
  while (row < old.length || column < now.length) {
    if (row < old.length && column < now.length && old[row] === now[column]) {
      runs.push({ kind: 'same', text: now[column] ?? '' });
      row += 1;
      column += 1;
    } else if (column >= now.length || (row < old.length && at(row + 1, column) >= at(row, column + 1))) {
      runs.push({ kind: 'old', text: old[row] ?? '' });
      row += 1;
    } else {
      runs.push({ kind: 'new', text: now[column] ?? '' });
      column += 1;
    }
  }
  return runs;
}
