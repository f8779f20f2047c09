import { expect, test } from 'vitest';

import { complete, completed, faultyPlace } from './completion';
import type { TraceName } from './shapes';

const name = (told: Partial<TraceName> & Pick<TraceName, 'name' | 'kind'>): TraceName => ({
  values: [],
  is_closed: false,
  is_indexed: true,
  ...told,
});
const NAMES = [
  name({ name: 'outcome', kind: 'text', values: ['answered', 'abstained', 'asked_back'], is_closed: true }),
  name({ name: 'retrieve.ms', kind: 'duration' }),
  name({ name: 'model', kind: 'text', values: ['fast', 'very careful'] }),
  name({ name: 'cached', kind: 'flag' }),
];
const at = (text: string) => complete(text, text.length, NAMES);
const texts = (text: string) => at(text).suggestions.map((each) => each.text);

test('a filter begins with a name, and what is typed narrows the names', () => {
  expect(texts('')).toEqual(['outcome', 'retrieve.ms', 'model', 'cached', 'not']);
  expect(texts('re')).toEqual(['retrieve.ms']);
  expect(texts('not ou')).toEqual(['outcome']);
});

test('after a name come the signs that its kind can be compared by', () => {
  expect(texts('retrieve.ms ')).toContain('>');
  expect(texts('outcome ')).not.toContain('>');
  expect(texts('model ')).toContain('contains');
});

test('after a sign come values, and after a value what joins it to the next test', () => {
  expect(texts('outcome = a')).toEqual(['answered', 'abstained', 'asked_back']);
  expect(texts('outcome in (answered, ab')).toEqual(['abstained']);
  expect(texts('retrieve.ms > 500 ')).toEqual(['and', 'or']);
});

test('a value that looks like a name is still a value', () => {
  expect(at('model = cached ').expects).toBe('joint');
});

test('a value with a space is put in quotation marks, and the caret stands behind it', () => {
  const text = 'model = ver';
  expect(completed(text, at(text), { text: 'very careful', about: '' })).toEqual({
    text: 'model = "very careful" ',
    caret: 23,
  });
});

test('what stands behind the caret stays', () => {
  const text = 'out and cached';
  const completion = complete(text, 3, NAMES);
  expect(completed(text, completion, { text: 'outcome', about: '' }).text).toBe('outcome and cached');
});

test('the place that the server names is found in the text', () => {
  expect(faultyPlace("The filter can't be read at character 5 ('spam'): there is no name 'spam'.", 'not spam')).toEqual(
    [4, 8],
  );
  expect(faultyPlace("The filter can't be read at its end: a value was expected.", 'ms >')).toEqual([4, 4]);
  expect(faultyPlace('The filter would read too many traces.', 'ms > 1')).toBeNull();
});
