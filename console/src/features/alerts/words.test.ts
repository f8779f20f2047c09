import { describe, expect, it } from 'vitest';

import { verdict } from './backtest-panel';
import { drawn } from './backtest-chart';
import { episodesOf } from './episodes';
import { headline } from './firing-tab';
import { groupsOf } from './groups';
import { sectionOf } from './guide-section';
import type { Alert, Backtest, BacktestLine, Change } from './shapes';
import { labelsInWords, lasting, valueInWords } from './words';

const ALERT: Alert = {
  fingerprint: 'f1',
  rule: 'slow',
  labels: {},
  severity: 'hard',
  group: 'latency',
  state: 'firing',
  began_at: 100,
  since: 160,
  fired_at: 160,
  resolved_at: null,
  value: 3,
  expected: 2,
  count: 20,
  summary: '',
  runbook: '',
  where: '',
  traces: [],
  notified_at: null,
};

describe('figures in words', () => {
  it.each([
    [0, 'ms', '0 ms'],
    [1234, 'ms', '1.23 s'],
    [0.054, 'share', '5.4 %'],
    [14.4, 'rate', '14.4×'],
    [null, 'ms', '–'],
  ] as const)('%s %s is %s', (value, unit, words) => {
    expect(valueInWords(value, unit, 'USD')).toBe(words);
  });

  it('says seconds as people do', () => {
    expect([45, 600, 3600, 7500, 200_000, 604_800].map(lasting)).toEqual([
      '45 s',
      '10 min',
      '1 h',
      '2 h 5 min',
      '2 d 7 h',
      '7 d',
    ]);
  });

  it('names what an alert is about', () => {
    expect(labelsInWords({ task_type: 'lookup', of: 'model a', tier: '' })).toBe(
      'task type lookup, model a, tier none',
    );
  });

  it('says how many fire, and how many of them are hard', () => {
    const of = (...severities: Alert['severity'][]) => headline(severities.map((severity) => ({ severity })));
    expect([of(), of('hard'), of('soft', 'soft'), of('hard', 'soft')]).toEqual([
      'Nothing is firing',
      '1 hard alert is firing',
      '2 soft alerts are firing',
      '2 alerts are firing, 1 of them hard',
    ]);
  });

  it('says what a back-test came to', () => {
    expect(verdict({ firings: 2, firing_s: 2520, messages: 1 })).toBe(
      'Would have fired 2 times, 42 min in all, and sent 1 message.',
    );
    expect(verdict({ firings: 0, firing_s: 0, messages: 0 })).toBe('Would not have fired.');
  });
});

it('puts groups with something hard first, and what began first before what began later', () => {
  const of = (group: string, severity: Alert['severity'], began_at: number): Alert => ({
    ...ALERT,
    group,
    severity,
    began_at,
  });
  const found = groupsOf([
    of('cost', 'soft', 1),
    of('latency', 'hard', 9),
    of('cost', 'soft', 0),
    of('quality', 'hard', 5),
  ]);
  expect(found.map(([group, alerts]) => [group, alerts.map(({ began_at }) => began_at)])).toEqual([
    ['quality', [5]],
    ['latency', [9]],
    ['cost', [0, 1]],
  ]);
});

describe('what became of alerts', () => {
  const change = (at: number, state: Alert['state'], alert: Partial<Alert> = {}): Change => ({
    at,
    old: null,
    new: state,
    alert: { ...ALERT, ...alert, state },
  });

  it('is a stretch of time from firing to its end, also through a silence', () => {
    const found = episodesOf(
      [change(900, 'resolved', { resolved_at: 900 }), change(300, 'silenced'), change(160, 'firing')],
      1000,
    );
    expect(found.map(({ since, until, isOver, alert }) => [since, until, isOver, alert.state])).toEqual([
      [160, 900, true, 'resolved'],
    ]);
  });

  it('lasts until now while it is on, and began when it fired where that is no longer in sight', () => {
    expect(episodesOf([change(160, 'firing')], 1000)[0]).toMatchObject({ since: 160, until: 1000, isOver: false });
    expect(episodesOf([change(900, 'resolved')], 1000)[0]).toMatchObject({ since: 160, until: 900, isOver: true });
  });
});

it('draws a back-test on an even axis, with a gap where nothing was seen, and fills what would have fired', () => {
  const line: BacktestLine = {
    labels: {},
    fingerprint: 'f1',
    times: [0, 120, 180],
    values: [1, 5, 6],
    expected: [3, 3, 3],
    counts: [9, 9, 9],
    holds: [false, true, true],
    stays: [{ state: 'firing', since: 180, until: 180, is_over: false }],
    thin: [],
  };
  const told = { since: 0, until: 180, point_s: 60 } as Backtest;
  const { times, series } = drawn(told, line, 'limit');
  expect(times).toEqual([0, 60, 120, 180]);
  expect(series.map(({ id, values }) => [id, values])).toEqual([
    ['value', [1, null, 5, 6]],
    ['expected', [3, null, 3, 3]],
    ['firing', [null, null, null, 6]],
  ]);
});

it('finds a section of the guide by its heading’s name, without the next one', () => {
  const page = '# Alerts\n\nAll.\n\n## What is usual\n\nHours.\n\n### Finer\n\nMore.\n\n## Rules\n\nOthers.';
  expect(sectionOf(page, 'what-is-usual')).toBe('Hours.\n\n### Finer\n\nMore.');
  expect(sectionOf(page, 'no-such-heading')).toBe(page);
});
