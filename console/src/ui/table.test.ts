import { expect, test } from 'vitest';

import { nextRow } from './table';

test('keys move by a row, a page, or to an end, and never beyond it', () => {
  expect(nextRow('ArrowDown', 3, 10, 4)).toBe(4);
  expect(nextRow('ArrowUp', 0, 10, 4)).toBe(0);
  expect(nextRow('PageDown', 8, 10, 4)).toBe(9);
  expect(nextRow('PageUp', 8, 10, 4)).toBe(4);
  expect(nextRow('End', 0, 10, 4)).toBe(9);
  expect(nextRow('Home', 7, 10, 4)).toBe(0);
});

test('other keys, and keys outside of the rows, are left alone', () => {
  expect(nextRow('a', 3, 10, 4)).toBeNull();
  expect(nextRow('ArrowDown', -1, 10, 4)).toBeNull();
  expect(nextRow('ArrowDown', 0, 0, 4)).toBeNull();
});
