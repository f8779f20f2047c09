import { expect, it } from 'vitest';

import { completed, completions } from './completions';

const FIGURES = ['ms.p50', 'ms.p95', 'ttft_ms.p95', 'retry_rate'].map((name) => ({ name, meaning: '' }));

it('completes the word before the caret, what begins with it first', () => {
  expect(completions('ms > 3', 2, FIGURES).map(({ name }) => name)).toEqual(['ms.p50', 'ms.p95', 'ttft_ms.p95']);
});

it('has nothing to say of a number, of one letter, or of a name that is whole', () => {
  for (const text of ['ms.p95 > 30', 'm', 'retry_rate']) expect(completions(text, text.length, FIGURES)).toEqual([]);
});

it('puts the name in the word’s place and leaves what stands after it', () => {
  expect(completed('ret > 0.1', 3, 'retry_rate')).toEqual({ text: 'retry_rate > 0.1', caret: 10 });
});
