import { describe, expect, it } from 'vitest';

import { quoted, tracesWhere, windowOf, type Line, type View } from './data';
import { behind, changeOf, formatOf } from './figures';
import { travelled } from './filter-bar';
import { filters, viewsSearch } from './search';
import { seriesOf } from './series';
import { clustered } from './timeline';

const line = (value: number | null, count: number): Line => ({ values: [], counts: [], whole: { value, count } });
const NOW = 1_795_000_000;

describe('the address', () => {
  it('keeps what it can say and drops the rest', () => {
    const said = {
      view: 'cost',
      window: '24h',
      task_type: 'lookup',
      release: 842,
      tier: '',
      other: 'x',
      where: 'degraded',
    };
    expect(viewsSearch(said)).toEqual({ view: 'cost', window: '24h', task_type: 'lookup', release: '842' });
    expect(viewsSearch({ view: 'nothing', window: '3y', since: 9, until: 3 })).toEqual({});
  });

  it('takes a window between two moments, as seconds or as a date, before one that ends now', () => {
    expect(viewsSearch({ since: '2026-11-20T14:00Z', until: 1_795_184_000, window: '1h' })).toEqual({
      since: 1_795_183_200,
      until: 1_795_184_000,
    });
  });

  it('names the window that is asked for', () => {
    expect(windowOf({}).query).toEqual({ window: 604_800 });
    expect(windowOf({ since: 5, until: 65 })).toEqual({
      query: { since: '5', until: '65' },
      lengthS: 60,
      isLive: false,
    });
    expect(filters({ view: 'cost', tier: 'light' })).toEqual({ tier: 'light' });
  });
});

it('says that there was nothing before, and not that it was too little', () => {
  const now = line(10_900, 10_900);
  expect(changeOf('questions', { now, before: line(0, 0), unit: 'count', better: null })).toBe('no earlier figure');
});

describe('going through time', () => {
  it('goes back by half a window, and on again until now', () => {
    const back = travelled({ window: '1h' }, 'back', NOW);
    expect([back.since, back.until]).toEqual([NOW - 5400, NOW - 1800]);
    const again = travelled(viewsSearch({ ...back }), 'on', NOW);
    expect([again.window, again.since]).toEqual(['1h', undefined]);
  });

  it('looks at twice as long, never beyond now', () => {
    const out = travelled({ since: NOW - 3600, until: NOW - 600 }, 'out', NOW);
    expect(out.until).toBe(NOW);
    expect((out.until ?? 0) - (out.since ?? 0)).toBe(6000);
  });
});

describe('the traces behind', () => {
  it('are those of the window, the filters and what a point has in common', () => {
    const search = { from: 1_795_183_200, to: 1_795_184_000, task_type: 'how "to"', where: 'outcome = failed' };
    expect(tracesWhere(search)).toBe(
      'kind = question and started >= 2026-11-20T14:00:00Z and started < 2026-11-20T14:13:20Z' +
        ' and task_type = "how \\"to\\"" and outcome = failed',
    );
    expect(tracesWhere({ task_type: 'lookup' })).toBeNull();
    expect(quoted('a\\b')).toBe('"a\\\\b"');
  });

  it('of a share are those that it counts, of a quantile those beyond it, of a group its own', () => {
    expect(behind('error_rate', {})).toBe('outcome = failed');
    expect(behind('ms.p95', { by: 'task_type', group: 'lookup', value: 912.4 })).toBe(
      'task_type = "lookup" and ms >= 912ms',
    );
    expect(behind('stage_ms.p99', { by: 'stage', group: 'retrieve', value: 80 })).toBe('retrieve.ms >= 80ms');
    expect(behind('questions', {})).toBeUndefined();
  });
});

describe('a change', () => {
  const change = (metric: string, now: Line, before: Line, unit: 'share' | 'ms' = 'share') =>
    changeOf(metric, { now, before, unit, better: 'down' });

  it('is told where there is enough on both sides, and else why not', () => {
    expect(change('error_rate', line(0.1, 10_000), line(0.02, 10_000))).toEqual({
      words: '+8.0 points',
      tone: 'worse',
    });
    expect(change('error_rate', line(0.1, 10), line(0.02, 10_000))).toBe('too few to compare');
    expect(change('error_rate', line(0.1, 100), line(null, 0))).toBe('no earlier figure');
    expect(change('ms.p99', line(900, 400), line(800, 400), 'ms')).toBe('too few to compare');
  });

  it('that chance explains has no colour', () => {
    expect(change('error_rate', line(0.003, 400), line(0.002, 400))).toEqual({ words: '+0.1 points', tone: 'same' });
  });

  it('of something that should fall is better when it falls', () => {
    expect(change('ms.p95', line(500, 1000), line(1000, 1000), 'ms')).toEqual({ words: '−50 %', tone: 'better' });
    expect(change('ms.p95', line(1000, 1000), line(1000, 1000), 'ms')).toEqual({ words: 'as before', tone: 'same' });
  });
});

describe('series', () => {
  const view = (lines: Record<string, Line>, by: string, metric: string): View => ({
    view: 'latency',
    since: 0,
    until: 120,
    step_s: 60,
    currency: 'EUR',
    times: [0, 60],
    where: {},
    markers: [],
    dependencies: [],
    patterns: [],
    panels: [
      {
        by: '',
        figures: {
          'ms.p50': {
            unit: 'ms',
            meaning: '',
            lines: { '': { values: [1, 1], counts: [10, 0], whole: { value: 1, count: 10 } } },
          },
        },
      },
      { by, figures: { [metric]: { unit: 'ms', meaning: '', lines } } },
    ],
  });
  const stage = (value: number, count: number): Line => ({
    values: [value, null],
    counts: [count, 0],
    whole: { value, count },
  });

  it('of stages add up to the mean of a question, also of those that skip one', () => {
    const stages = view({ generate: stage(1000, 4), retrieve: stage(20, 10) }, 'stage', 'stage_ms.mean');
    const { series } = seriesOf(stages, {
      title: '',
      metrics: ['stage_ms.mean'],
      by: 'stage',
      isStacked: true,
      perQuestion: true,
    });
    expect(series.map(({ id, values, whole }) => [id, values, whole])).toEqual([
      ['generate', [400, null], 400],
      ['retrieve', [20, null], 20],
    ]);
  });

  it('of more groups than colours are put together in a stack, and told of beside lines', () => {
    const many = Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`g${at}`, stage(at + 1, 5)]));
    const plan = { title: '', metrics: ['ms.p95'], by: 'task_type' as const };
    const lines = seriesOf(view(many, 'task_type', 'ms.p95'), plan);
    expect([lines.series.length, lines.left]).toEqual([8, 3]);
    const stack = seriesOf(view(many, 'task_type', 'ms.p95'), { ...plan, isStacked: true });
    expect([stack.series.length, stack.left, stack.series.at(-1)?.name]).toEqual([8, 0, '4 others']);
    expect(stack.series.at(-1)?.values).toEqual([1 + 2 + 3 + 4, null]);
  });
});

describe('on the axis', () => {
  it('markers near each other stand behind one button', () => {
    const at = (seconds: number) => ({ kind: 'index_updated', at: seconds, of: '1', told: 'A sync' });
    const found = clustered({ times: [0, 500], step_s: 500, markers: [at(100), at(110), at(600), at(2000)] });
    expect(found.map(({ share, markers }) => [share, markers.length])).toEqual([
      [0.1, 2],
      [0.6, 1],
    ]);
  });

  it('figures are written in their unit', () => {
    expect(formatOf('share', 'EUR')(0.256)).toBe('26 %');
    expect(formatOf('ms', 'EUR')(1500)).toBe('1.50 s');
    expect(formatOf('score', 'EUR')(4)).toBe('4');
  });
});
