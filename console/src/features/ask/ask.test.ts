import { describe, expect, it } from 'vitest';

import type { Citation, Shape } from '@/lib/api/types';

import { addressOf, asMarkdown, markersOf } from './citing';
import { byDay } from './days';
import { examplesOf, spread } from './examples';
import { begun, exchangesOf, taken, type Turn } from './exchange';
import { askSearch } from './search';
import { spoken } from './spoken';

function citation(number: number, start: number, end: number, more: Partial<Citation> = {}): Citation {
  return {
    number,
    answer_start: start,
    answer_end: end,
    document_id: 'handbook/pay & leave.md',
    document_title: 'Pay [old]',
    passage_id: 'handbook/pay & leave.md#p0',
    version: 'v1',
    start: 3,
    end: 9,
    quote: 'q',
    support: 1,
    page: null,
    heading_path: ['Pay [old]', 'Bonus'],
    owner: 'Finance',
    effective: '2026-01-01',
    review_by: null,
    review_due: false,
    standing: 'current',
    superseded_since: null,
    superseded_by: null,
    ...more,
  };
}

describe('markers', () => {
  it('stand at code points and belong to the sentence that is nearest', () => {
    const first = citation(1, 0, 9);
    const second = citation(1, 10, 20);
    const found = markersOf('😀 is so. [1] It is. [1] Not [2], [1](x).', [first, second]);
    expect(found.map((each) => [each.start, each.end, each.citation])).toEqual([
      [9, 12, first],
      [20, 23, second],
    ]);
  });
});

describe('a copy', () => {
  it('has each source once, as a link with what is known of it', () => {
    const told = asMarkdown('So. [1] And so. [1]', [citation(1, 0, 3), citation(1, 8, 15)], 'https://ken.test');
    expect(told.split('\n').at(-2)).toBe(
      `- [1] [Pay \\[old\\]](https://ken.test${addressOf(citation(1, 0, 3))}): Bonus, Finance, as of 2026-01-01`,
    );
    expect(addressOf(citation(1, 0, 3, { page: 4 }))).toBe(
      '/documents/handbook/pay%20%26%20leave.md?start=3&end=9&page=4&version=v1',
    );
    expect(asMarkdown('So.', [], 'https://ken.test')).toBe('So.');
  });
});

describe('an exchange', () => {
  const answer = (more: object) => ({
    trace_id: 't',
    text: 'So. [1]',
    outcome: 'answered',
    citations: [citation(1, 0, 3)],
    notices: [],
    conflicts: [],
    choices: [],
    nearest: [],
    ...more,
  });

  it('takes in what comes, a stage that runs twice included, and repeats no notice', () => {
    const events: [string, unknown][] = [
      ['stage', { stage: 'generate', state: 'started' }],
      ['stage', { stage: 'generate', state: 'finished', ms: 5, detail: 'd' }],
      ['stage', { stage: 'generate', state: 'started' }],
      ['token', { text: 'So' }],
      ['notice', { kind: 'fallback', text: 'Another model.' }],
      ['unheard', {}],
      ['answer', answer({ notices: ['Another model.', 'More.'] })],
    ];
    const got = events.reduce((exchange, [name, data]) => taken(exchange, name, data), begun('Why?'));
    expect(got.stages.map((each) => each.ms)).toEqual([5, null]);
    expect(got.notices.map((each) => [each.kind, each.text])).toEqual([
      ['fallback', 'Another model.'],
      ['', 'More.'],
    ]);
    expect([got.phase, got.text, got.traceId]).toEqual(['done', 'So. [1]', 't']);
    expect(spoken(got)).toBe('Answer: So.  1 source.');
    expect(spoken({ ...got, phase: 'running', answer: null })).toBe('Writing the answer.');
  });

  it('is read again from turns: whole, stopped, or bare where it is withheld', () => {
    const turn = (role: 'user' | 'assistant', content: string, kept: object | null): Turn =>
      ({ role, content, trace_id: 't', at: 1, answer: kept, said: null }) as Turn;
    const got = exchangesOf([
      turn('user', 'a?', null),
      turn('assistant', 'A', answer({ cached: true, notices: ['Given before.'] })),
      turn('user', 'b?', null),
      turn('assistant', 'B', answer({ outcome: 'failed' })),
      turn('user', 'c?', null),
      turn('assistant', '(withheld: …)', null),
    ]);
    expect(got.map((each) => [each.question, each.phase, each.answer === null])).toEqual([
      ['a?', 'done', false],
      ['b?', 'stopped', true],
      ['c?', 'bare', true],
    ]);
    expect(got[0]?.notices[0]?.kind).toBe('cached');
  });
});

describe('the list of conversations', () => {
  it('stands under days as people name them', () => {
    const now = new Date(2026, 10, 22, 1, 0);
    const at = (...day: [number, number, number, number]) => new Date(...day).getTime() / 1000;
    const days = [at(2026, 10, 22, 0), at(2026, 10, 21, 23), at(2026, 10, 17, 9), at(2026, 9, 2, 9), at(2025, 9, 2, 9)];
    expect(byDay(days, (each) => each, now).map(([name]) => name)).toEqual([
      'Today',
      'Yesterday',
      'The last 7 days',
      'October',
      'October 2025',
    ]);
  });
});

describe('examples', () => {
  const document = (id: string, more: object = {}) =>
    ({ id, title: id, characters: 10, superseded_by: null, ...more }) as Shape<'DocumentShape'>;

  it('come from all folders, from documents that hold and are soon read', () => {
    const all = ['a/1', 'a/2', 'a/3', 'b/1', 'c/1'].map((id) => document(id));
    const chosen = spread([document('z/1', { characters: 1e6 }), document('y/1', { superseded_by: 'x' }), ...all]);
    expect(chosen.map((each) => each.id)).toEqual(['a/1', 'b/1', 'c/1', 'a/2']);
    expect(spread([])).toEqual([]);
  });

  it('are headings that ask, things to do, or titles, as a person would ask for them', () => {
    const opened = (title: string, text: string, ...headings: string[]) =>
      ({
        document: document(title),
        text,
        passages: headings.map((each) => ({ heading_path: [title, each] })),
      }) as unknown as Shape<'OpenedDocument'>;
    expect(
      examplesOf([
        opened('Leave', '', 'Overview', 'Who may go?'),
        opened('Leave', '', 'Overview', 'How to book leave'),
        opened('Sick days', 'On sick days, call.', 'Overview'),
        opened('Lisbon office', 'The Lisbon office is small.'),
        opened('Runbook: QueueStalled', 'When the queue stalls.', 'Symptoms'),
      ]),
    ).toEqual([
      'Who may go?',
      'How do I book leave?',
      'What should I know about sick days?',
      'What should I know about Lisbon office?',
      'What do I do about QueueStalled?',
    ]);
  });
});

describe('the address', () => {
  it('names one collection or several, and drops what is none', () => {
    expect(askSearch({ collection: 'a' })).toEqual({ collection: ['a'] });
    expect(askSearch({ collection: ['a', 3, ''], other: 1 })).toEqual({ collection: ['a'] });
    expect(askSearch({})).toEqual({});
  });
});
