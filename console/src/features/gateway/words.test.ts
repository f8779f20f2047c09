import { describe, expect, it } from 'vitest';

import { burn } from './budget-card';
import { limitInWords, paceInWords } from './budget-words';
import { byDay, costInWords, total } from './cost-words';
import { costRange, noticesOf, planParts, verdict } from './outlook-words';
import { gatewaySearch } from './search';
import type { Budget, Cost, Outlook } from './types';

function budget(given: Partial<Budget>): Budget {
  return {
    name: 'all together',
    scope: 'all',
    of: '',
    period: 'month',
    is_money: false,
    limit: 1000,
    used: 500,
    reserved: 0,
    left: 500,
    share: 0.5,
    soft: 0.8,
    is_hard: true,
    state: 'normal',
    calls: 10,
    unknown_calls: 0,
    began_at: Date.UTC(2026, 10, 1) / 1000,
    resets_at: Date.UTC(2026, 11, 1) / 1000,
    elapsed: 0.5,
    even: 500,
    projected: 1000,
    runs_out_at: null,
    ...given,
  };
}

function cost(of: string, given: Partial<Cost>): Cost {
  return {
    of,
    calls: 1,
    cost_micros: 0,
    unknown_calls: 0,
    estimated_calls: 0,
    input_tokens: 0,
    output_tokens: 0,
    cache_read_tokens: 0,
    cache_write_tokens: 0,
    reasoning_tokens: 0,
    ...given,
  };
}

describe('a budget in words', () => {
  it('tells an even pace from one ahead of it, and where each ends', () => {
    expect(paceInWords(budget({}), 'USD')).toBe('On an even pace. As it goes, it ends at 1,000 tokens.');
    const fast = paceInWords(budget({ used: 800, runs_out_at: 1_795_000_000, projected: 1600 }), 'USD');
    expect(fast).toMatch(/^300 tokens ahead of an even pace\. As it goes, it is used up on .+ 1,600 tokens\.$/);
  });

  it('says that it is too early to tell instead of guessing', () => {
    expect(paceInWords(budget({ used: 1, even: 10, projected: null }), 'USD')).toContain('too early in the month');
  });

  it('says what a hard limit does and that a soft one refuses nothing', () => {
    expect(limitInWords(budget({}))).toContain('calls are refused');
    expect(limitInWords(budget({ is_hard: false }))).toContain('nothing is refused');
  });

  it('draws the days to come as a gap, and the pace to the limit', () => {
    const { times, series } = burn(
      [
        { day: '2026-11-01', used: 5 },
        { day: '2026-11-02', used: 7 },
      ],
      budget({}),
    );
    expect(times).toHaveLength(30);
    expect(series[0]?.values.slice(0, 3)).toEqual([5, 12, null]);
    expect(series[1]?.values.at(-1)).toBe(1000);
  });
});

describe('costs', () => {
  it('are never 0 where a price is unknown', () => {
    const sum = total([cost('a', { cost_micros: 5_000_000 }), cost('b', { unknown_calls: 1 })]);
    expect(costInWords(sum, 'USD')).toMatch(/^at least .*5\.000?$/);
    expect(costInWords({ calls: 1, micros: 0, unknown: 1 }, 'USD')).toBe('unknown');
    expect(costInWords({ calls: 1, micros: 0, unknown: 0 }, 'USD')).toMatch(/0\.00$/);
  });

  it('of a day without calls are 0, of one with unknown prices alone a gap, and unknown calls are marked', () => {
    const since = Date.UTC(2026, 10, 1) / 1000;
    const days = [
      cost('2026-11-01', { cost_micros: 3, calls: 3, unknown_calls: 2 }),
      cost('2026-11-03', { unknown_calls: 1 }),
    ];
    const told = byDay(days, { since, until: since + 3 * 86_400 });
    expect(told.values).toEqual([3, 0, null]);
    expect(told.unknown).toEqual([
      { at: since + 43_200, calls: 2 },
      { at: since + 2.5 * 86_400, calls: 1 },
    ]);
  });

  it('of an answer are a range, or unknown', () => {
    const model = { name: 'm', breaker: 'closed', window: 8192, patience_s: {} };
    expect(costRange({ ...model, least_micros: null, most_micros: null }, 'USD')).toBe('an unknown price');
    expect(costRange({ ...model, least_micros: 0, most_micros: 0 }, 'USD')).toBe('nothing');
    expect(costRange({ ...model, least_micros: 1_000_000, most_micros: 2_000_000 }, 'USD')).toMatch(/ to /);
  });
});

describe('what would happen to a question', () => {
  const asked = (name: string, breaker: string) => ({
    name,
    breaker,
    window: 8192,
    least_micros: 0,
    most_micros: 0,
    patience_s: {},
  });
  const outlook: Outlook = {
    question: 'q',
    standalone: 'q',
    principal: 'p',
    release: 'r',
    task_type: 'lookup',
    category: 'general',
    stages: { recall: 'miss' },
    outcome: '',
    reply: '',
    budget: { state: 'normal', notice: '' },
    notices: [],
    passages: 3,
    prompt_tokens: 900,
    plan: null,
    difficulty: null,
    decision: null,
    tier: 'tier-1',
    models: [asked('light', 'open'), asked('spare', 'closed')],
    max_tokens: null,
    deadline_s: 60,
  };

  it('names who answers past an open breaker', () => {
    expect(verdict(outlook, 'USD')).toBe(
      'tier-1: spare answers, since the breaker of light is open, from 3 passages, for nothing.',
    );
  });

  it('says once that the budget is short', () => {
    const short = { state: 'short', notice: 'The budget is short.' };
    expect(noticesOf({ budget: short, notices: ['The budget is short. So this is shorter.'] })).toHaveLength(1);
    expect(noticesOf({ budget: short, notices: ['Something else.'] })).toEqual([
      'The budget is short.',
      'Something else.',
    ]);
  });

  it('says that nobody is asked where the cache has it or no document does', () => {
    expect(verdict({ ...outlook, outcome: 'answered', stages: { recall: 'found' } }, 'USD')).toContain('cache has it');
    expect(verdict({ ...outlook, outcome: 'abstained' }, 'USD')).toContain('beyond Ken');
  });
});

it('a token plan adds up to its window', () => {
  const plan = { window: 1000, answer: 200, margin: 50, system: 100, query: 10, passages: 300, history: 0, earlier: 0 };
  const parts = planParts(plan);
  expect(parts.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(1000);
  expect(parts.at(-1)).toMatchObject({ name: 'free', tokens: 340 });
});

it('an address that says nonsense is read without it', () => {
  expect(gatewaySearch({ tab: 'nowhere', days: -3, entry: 'x', q: 2026, by: 'model' })).toEqual({
    q: '2026',
    by: 'model',
  });
});
