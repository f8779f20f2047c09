import { expect, it } from 'vitest';

import { lineDiff, type Hunk } from './line-diff';

/** Both texts again, from a comparison without gaps. */
function sides(found: readonly Hunk[] | null): [string[], string[]] {
  const lines = (found ?? []).flatMap((hunk) => hunk.lines);
  return [
    lines.filter((line) => line.kind !== 'added').map((line) => line.text),
    lines.filter((line) => line.kind !== 'removed').map((line) => line.text),
  ];
}

it('tells what a changed line was and is, and what of it differs', () => {
  const found = lineDiff('# Tide\n\nThe tide turns at noon.\n', '# Tide\n\nThe tide turns at dusk.\n');
  const changed = (found ?? []).flatMap((hunk) => hunk.lines).filter((line) => line.kind !== 'same');
  expect(changed.map((line) => [line.kind, line.text.slice(line.at, line.to)])).toEqual([
    ['removed', 'noon'],
    ['added', 'dusk'],
  ]);
});

it('gives both texts back, whatever they are', () => {
  let seed = 7;
  const next = (most: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % most;
  };
  for (let round = 0; round < 300; round += 1) {
    const text = () => Array.from({ length: 1 + next(12) }, () => 'abc'[next(3)] ?? '').join('\n');
    const [old, now] = [text(), text()];
    const found = lineDiff(old, now);
    if (old === now) expect(found).toEqual([]);
    else if ((found ?? []).every((hunk) => hunk.skipped === 0)) {
      const [left, right] = sides(found);
      const rest = old.split('\n').slice(left.length);
      expect([...left, ...rest].join('\n')).toBe(old);
      expect([...right, ...rest].join('\n')).toBe(now);
    }
  }
});

it('finds the fewest lines that make the difference', () => {
  const lines = (lineDiff('a\nb\nc\na\nb\nb\na', 'c\nb\na\nb\na\nc') ?? []).flatMap((hunk) => hunk.lines);
  expect(lines.filter((line) => line.kind !== 'same')).toHaveLength(5); // the example of the paper
});

it('leaves out what is far from any change, and says how much', () => {
  const many = Array.from({ length: 100 }, (_, index) => `line ${index}`);
  const found = lineDiff(many.join('\n'), many.with(50, 'another').with(90, 'one more').join('\n'));
  expect(found?.map((hunk) => [hunk.skipped, hunk.lines.length])).toEqual([
    [47, 8],
    [33, 8],
  ]);
});

it('says so where two texts have nothing in common', () => {
  const text = (word: string) => Array.from({ length: 2000 }, (_, index) => `${word} ${index}`).join('\n');
  expect(lineDiff(text('old'), text('new'))).toBeNull();
});
