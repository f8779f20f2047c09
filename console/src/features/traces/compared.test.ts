import { expect, test } from 'vitest';

import { citedBy, compared } from './compared';
import type { Trace } from './shapes';

const trace = (told: Partial<Trace>): Trace =>
  ({
    outcome: 'answered',
    model: 'fast',
    release: 'a',
    corpus_version: 1,
    ms: 100,
    ttft_ms: null,
    cost_micros: 1000,
    input_tokens: 10,
    output_tokens: 10,
    evidence: [],
    confidence: 0.5,
    failed_checks: [],
    citations: [],
    ...told,
  }) as unknown as Trace;
const cites = (...ids: string[]) => ids.map((passage_id) => ({ passage_id })) as unknown as Trace['citations'];

test('less time and money are better, an unknown figure is neither', () => {
  const rows = compared(trace({}), trace({ ms: 150, cost_micros: 500, ttft_ms: 20 }), 'USD');
  const row = (name: string) => rows.find((each) => each.name === name);
  expect(row('Took')).toMatchObject({ change: '+50 %', verdict: 'worse' });
  expect(row('Cost')).toMatchObject({ change: '−50 %', verdict: 'better' });
  expect(row('First text after')).toMatchObject({ before: '–', verdict: 'neither' });
});

test('what hardly moved is neither better nor worse', () => {
  expect(compared(trace({}), trace({ ms: 102 }), 'USD').find((each) => each.name === 'Took')?.verdict).toBe('neither');
});

test('a share that moved is told in points', () => {
  const rows = compared(trace({ confidence: 0.93 }), trace({ confidence: 0.75 }), 'USD');
  expect(rows.find((each) => each.name === 'Confidence')).toMatchObject({ change: '−18 points', verdict: 'worse' });
});

test('citations are told apart by what became of them', () => {
  const before = trace({ citations: cites('one', 'two', 'two') });
  expect(citedBy(before, trace({ citations: cites('two', 'three') }))).toEqual({
    kept: ['two'],
    lost: ['one'],
    added: ['three'],
  });
});
