import { expect, test } from 'vitest';

import { wordDiff } from './word-diff';

const whole = (before: string, after: string) => {
  const runs = wordDiff(before, after);
  const side = (left: 'old' | 'new') =>
    runs.filter((run) => run.kind === 'same' || run.kind === left).map((run) => run.text);
  return [side('old').join(''), side('new').join('')];
};

test('a word that was changed stands beside the one that took its place', () => {
  expect(wordDiff('It opens at seven daily.', 'It opens at nine daily.')).toEqual([
    { kind: 'same', text: 'It opens at ' },
    { kind: 'old', text: 'seven ' },
    { kind: 'new', text: 'nine ' },
    { kind: 'same', text: 'daily.' },
  ]);
});

test('both texts can be read out of the difference', () => {
  const before = 'Leave is 25 days a year, and 28 from the fifth year on. Ask your manager.';
  const after = 'Ask your manager: leave is 28 days a year.';
  expect(whole(before, after)).toEqual([before, after]);
});

test('nothing is a text, too', () => {
  expect(wordDiff('', 'new words')).toEqual([{ kind: 'new', text: 'new words' }]);
  expect(wordDiff('same', 'same')).toEqual([{ kind: 'same', text: 'same' }]);
});

test('two texts that are too long to compare are told as replaced', () => {
  const long = (word: string) => `${word} `.repeat(3000);
  expect(wordDiff(long('a'), long('b')).map((run) => run.kind)).toEqual(['old', 'new']);
});
