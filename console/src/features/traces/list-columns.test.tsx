import { expect, test } from 'vitest';

import { columnsOf } from './list-columns';
import type { Found } from './shapes';

const trace = (told: Partial<Found>): Found =>
  ({ ttft_ms: null, figures: {}, reaction: { quality: null, helpful: null }, ...told }) as unknown as Found;
const ids = (...rows: Found[]) => columnsOf('USD', rows).map(({ id }) => id);

test('a column of dashes alone is left out until something stands in it', () => {
  expect(ids(trace({}))).not.toContain('feedback');
  expect(ids(trace({}))).toContain('cost');
  const judged = trace({ reaction: { quality: 4, helpful: null } as Found['reaction'] });
  expect(ids(trace({}), judged)).toContain('quality');
  expect(ids(trace({}), judged)).not.toContain('feedback');
});

test('what a filter asks for by name stands behind the rest', () => {
  expect(ids(trace({ figures: { 'retrieve.ms': 12 } })).at(-1)).toBe('asked-retrieve.ms');
});
