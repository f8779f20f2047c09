import { expect, test } from 'vitest';

import type { Span } from './shapes';
import { marksOf, ticks, timelineOf } from './tree';

const span = (id: string, parent: string | null, from: number, to: number, more: Partial<Span> = {}): Span => ({
  id,
  parent_id: parent,
  name: id,
  started_at: 1000 + from / 1000,
  ended_at: 1000 + to / 1000,
  ms: to - from,
  status: 'ok',
  attributes: {},
  links: [],
  service: '',
  ...more,
});
const NONE = new Set<string>();
const TREE = [span('b', 'root', 50, 100), span('root', null, 0, 100), span('a', 'root', 0, 40), span('a1', 'a', 0, 39)];

test('spans stand below their parents in the order of their begin', () => {
  const { rows, ms } = timelineOf(TREE, NONE);
  expect(rows.map((row) => [row.span.id, row.depth, row.below])).toEqual([
    ['root', 0, 3],
    ['a', 1, 1],
    ['a1', 2, 0],
    ['b', 1, 0],
  ]);
  expect(ms).toBeCloseTo(100);
});

test('what is collapsed is hidden, and says how much it hides', () => {
  const { rows } = timelineOf(TREE, new Set(['a']));
  expect(rows.map((row) => row.span.id)).toEqual(['root', 'a', 'b']);
  expect(rows[1]).toMatchObject({ isCollapsed: true, below: 1 });
});

test('spans of lost parents and of circles are shown all the same', () => {
  const { rows } = timelineOf([span('x', 'gone', 0, 1), span('y', 'z', 1, 2), span('z', 'y', 1, 2)], NONE);
  expect(rows.map((row) => [row.span.id, row.depth])).toEqual([
    ['x', 0],
    ['y', 0],
    ['z', 1],
  ]);
});

test('the critical path leaves out what ran beside it', () => {
  const spans = [
    span('root', null, 0, 100),
    span('long', 'root', 0, 90),
    span('short', 'root', 10, 40),
    span('end', 'root', 90, 100),
  ];
  const { rows } = timelineOf(spans, NONE);
  expect(rows.filter((row) => row.isCritical).map((row) => row.span.id)).toEqual(['root', 'long', 'end']);
});

test('what a shared call did is what those waited for who share it', () => {
  const spans = [
    span('root', null, 0, 100),
    span('coalesce', 'root', 0, 100),
    span('work', 'root', 5, 99),
    span('in', 'work', 5, 98),
  ];
  const { rows } = timelineOf(spans, NONE);
  expect(rows.filter((row) => row.isCritical).map((row) => row.span.id)).toEqual(['root', 'coalesce', 'work', 'in']);
});

test('time of a step that none of its own steps accounts for is a gap', () => {
  const { rows } = timelineOf(TREE, NONE);
  expect(rows[0]?.gaps.map((gap) => gap.map(Math.round))).toEqual([[40, 50]]);
  expect(rows[1]?.gaps).toEqual([]);
});

test('retries, fallbacks and errors are said in words', () => {
  const retry = span('attempt', null, 0, 1, { attributes: { number: 2, reason: '503' }, status: 'error' });
  expect(
    marksOf({ ...retry, attributes: { ...retry.attributes, error: 'ModelRefused' } }).map((mark) => mark.words),
  ).toEqual(['ModelRefused', 'retry 1: 503']);
});

test('five hundred spans under one another and beside one another are ordered at once', () => {
  const deep = Array.from({ length: 500 }, (_, n) =>
    span(`s${n}`, n === 0 ? null : `s${n - (n % 7) - 1 < 0 ? 0 : n - (n % 7) - 1}`, n, 600),
  );
  expect(timelineOf(deep, NONE).rows).toHaveLength(500);
});

test('an axis has round marks', () => {
  expect(ticks(0, 848)).toEqual([0, 200, 400, 600, 800]);
  expect(ticks(5, 5)).toEqual([5]);
});
