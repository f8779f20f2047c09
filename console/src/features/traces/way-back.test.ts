import { expect, test } from 'vitest';

import { keepList, lastList } from './way-back';

test('the way back leads to the list that was looked at, and to the whole one where none was', () => {
  sessionStorage.clear();
  expect(lastList()).toEqual({});
  keepList({ where: 'ms > 2s', since: '24h' });
  expect(lastList()).toEqual({ where: 'ms > 2s', since: '24h' });
});

test('what is no list leads to the whole one', () => {
  sessionStorage.setItem('ken-traces-list', '{"where": 3');
  expect(lastList()).toEqual({});
});
