import { expect, test } from 'vitest';

import { listed } from './new-key';
import { settingsSearch } from './search';
import { shown, sought, whereFrom } from './setting-words';
import type { Setting } from './types';

const PORT: Setting = {
  name: 'port',
  value: 8123,
  default: 8000,
  origin: 'environment',
  variable: 'KEN_PORT',
  line: 2,
  is_secret: false,
  is_live: false,
};
const CACHE: Setting = {
  ...PORT,
  name: 'cache',
  value: true,
  default: true,
  origin: 'default',
  variable: 'KEN_CACHE',
  line: null,
};

test('a value is told in one line, whatever it is', () => {
  expect([null, '', [], {}, false, 0, ['a', 'b'], { a: 1 }].map(shown)).toEqual([
    'none',
    'empty',
    'none',
    'none',
    'false',
    '0',
    'a, b',
    '{"a":1}',
  ]);
});

test('what wins is told before what it wins over', () => {
  expect(whereFrom(PORT)).toBe('the environment, before line 2 of ken.toml');
  expect(whereFrom({ ...PORT, origin: 'file' })).toBe('line 2 of ken.toml');
  expect(whereFrom({ ...PORT, origin: 'command line', line: null })).toBe('the command line');
  expect(whereFrom(CACHE)).toBe('as it ships');
});

test('settings are found by all words in name, value, variable or origin; defaults only where they are wanted', () => {
  const all = [PORT, CACHE];
  expect(sought(all, { words: '', defaults: false })).toEqual([PORT]);
  expect(sought(all, { words: '', defaults: true })).toEqual(all);
  expect(sought(all, { words: 'KEN_ true', defaults: true })).toEqual([CACHE]);
  expect(sought(all, { words: 'port 9', defaults: true })).toEqual([]);
});

test('groups are read off a list with commas, blanks around them left out', () => {
  expect(listed(' hr,  Front Desk ,,')).toEqual(['hr', 'Front Desk']);
});

test('an address that says nonsense leads to the page as it opens', () => {
  expect(settingsSearch({ tab: 'nonsense', q: 7, defaults: 'yes' })).toEqual({});
  expect(settingsSearch({ tab: 'record', defaults: true })).toEqual({ tab: 'record', defaults: true });
});
