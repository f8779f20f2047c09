import { expect, test } from 'vitest';

import { ago, bytes, duration, money, percent, plural, UNKNOWN } from './format';

test('what is unknown is never shown as zero', () => {
  for (const told of [duration(null), money(undefined, 'EUR'), percent(null), bytes(null), ago(null)])
    expect(told).toBe(UNKNOWN);
});

test('durations are said in the unit that fits them', () => {
  expect([0.4, 4.23, 523.6, 1834, 61_000, 7_260_000].map(duration)).toEqual([
    '0.40 ms',
    '4.2 ms',
    '524 ms',
    '1.83 s',
    '1 min 1 s',
    '2 h 1 min',
  ]);
});

test('small sums keep the digits that say something', () => {
  expect(money(0, 'EUR')).toBe('€0.00');
  expect(money(1_250_000, 'EUR')).toBe('€1.25');
  expect(money(4_210, 'EUR')).toBe('€0.00421');
  expect(money(12, 'EUR')).toBe('€0.000012');
});

test('a unit that is no currency is written behind the sum', () => {
  expect(money(2_000_000, 'credits')).toBe('2.000 credits');
});

test('moments are told from now, before and after', () => {
  expect(ago(1000, 1002)).toBe('just now');
  expect(ago(1000, 1000 + 180)).toBe('3 min ago');
  expect(ago(1000 + 7200, 1000)).toBe('in 2 h');
});

test('nouns agree with their number', () => {
  expect(plural(1, 'document')).toBe('1 document');
  expect(plural(1200, 'query', 'queries')).toBe('1,200 queries');
});
