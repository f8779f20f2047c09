import { compact, count, duration, money, percent } from '@/lib/format';

import { quoted, type Figure, type Line, type View } from './data';

export type Unit = Figure['unit'];

/** What a judge gives at most. */
export const BEST_SCORE = 5;

/** How figures of a unit are written. */
export function formatOf(unit: Unit, currency: string): (value: number) => string {
  switch (unit) {
    case 'share':
      return (value) => percent(value, Math.abs(value) < 0.1 && value !== 0 ? 1 : 0);
    case 'ms':
      return duration;
    case 'micros':
      return (value) => money(value, currency);
    case 'score':
      return (value) => value.toFixed(value % 1 === 0 ? 0 : 2);
    case 'relevance':
    case 'index':
      return (value) => value.toFixed(2);
    case 'tokens/s':
      return (value) => `${compact(value)}/s`;
    case 'tokens':
      return compact;
    case 'count':
      return (value) => (Math.abs(value) < 10_000 ? count(value) : compact(value));
  }
}

/** A figure of a view, told apart by a dimension (none: the empty text); undefined where the view hasn't got it. */
export function figureOf(view: View, metric: string, by = ''): Figure | undefined {
  return view.panels.find((panel) => panel.by === by && metric in panel.figures)?.figures[metric];
}

/** A figure over everything. */
export function lineOf(view: View, metric: string): Line | undefined {
  return figureOf(view, metric)?.lines[''];
}

const FEWEST = 30;
/** So many values are beyond a quantile, at least, where it is compared. */
const BEYOND = 5;
const QUANTILES: Readonly<Record<string, number>> = { p50: 0.5, p95: 0.95, p99: 0.99 };
/** Relative changes below are told without colour, and so are those of shares within so many standard errors. */
const NOTABLE = 0.1;
const SURE = 2.6;

export type Better = 'up' | 'down' | null;

export interface Change {
  readonly words: string;
  readonly tone: 'better' | 'worse' | 'same';
}

/** What became of a figure since the window before, where both rest on enough to say so. */
export function changeOf(
  metric: string,
  { now, before, unit, better }: { now: Line | undefined; before: Line | undefined; unit: Unit; better: Better },
): Change | string {
  if (now === undefined || now.whole.value === null) return '';
  if (before === undefined || before.whole.value === null || before.whole.count === 0) return 'no earlier figure';
  const least = fewest(metric);
  if (Math.min(now.whole.count, before.whole.count) < least) return 'too few to compare';
  const [is, was] = [now.whole.value, before.whole.value];
  const share = was === 0 ? (is === 0 ? 0 : Infinity) : (is - was) / was;
  const words = unit === 'share' ? points(is - was) : relative(share);
  const isChance = unit === 'share' && Math.abs(is - was) < SURE * errorOf(now.whole, before.whole);
  const isNotable = Math.abs(share) >= NOTABLE && words !== SAME && !isChance;
  const tone = !isNotable || better === null ? 'same' : is > was === (better === 'up') ? 'better' : 'worse';
  return { words, tone };
}

const SAME = 'as before';

/** The standard error of the difference of two shares. */
function errorOf(one: Line['whole'], other: Line['whole']): number {
  const all = one.count + other.count;
  const share = ((one.value ?? 0) * one.count + (other.value ?? 0) * other.count) / all;
  return Math.sqrt(share * (1 - share) * (1 / one.count + 1 / other.count));
}

function points(difference: number): string {
  const told = (difference * 100).toFixed(1);
  return Number(told) === 0 ? SAME : `${signed(told)} points`;
}

function relative(share: number): string {
  if (!Number.isFinite(share)) return 'none before';
  const told = (share * 100).toFixed(0);
  return Number(told) === 0 ? SAME : `${signed(told)} %`;
}

function signed(told: string): string {
  return told.startsWith('-') ? `−${told.slice(1)}` : `+${told}`;
}

/** How many observations a figure needs on either side: quantiles some beyond them, the others thirty. Counts are what they are. */
function fewest(metric: string): number {
  const quantile = QUANTILES[metric.split('.')[1] ?? ''];
  if (quantile !== undefined) return Math.ceil(BEYOND / (1 - quantile));
  return metric === 'questions' || metric === 'cost' || metric === 'tokens' ? 1 : FEWEST;
}

const MEETS: Readonly<Record<string, string>> = {
  error_rate: 'outcome = failed',
  abstention_rate: 'outcome = abstained',
  refusal_rate: 'outcome = refused',
  success_rate: 'success = no',
  degraded_rate: 'degraded',
  cache_hit_rate: 'cached',
  fallback_rate: 'fallbacks > 0',
  retry_rate: 'retries > 0',
  timeout_rate: 'timeouts > 0',
  check_failure_rate: 'checks.failed > 0',
  unhelpful_rate: 'helpful is known and not helpful',
  'quality.mean': 'quality is known',
  'groundedness.mean': 'groundedness is known',
};
const MEASURED: Readonly<Record<string, string>> = { ms: 'ms', ttft_ms: 'ttft.ms' };
const TOLD_APART = ['task_type', 'category', 'release', 'tier', 'model'];

/** Which traces stand behind a value: those that a share counts, those beyond a quantile, those of a group. */
export function behind(
  metric: string,
  { by = '', group = '', value }: { by?: string; group?: string; value?: number | null },
): string | undefined {
  const [name = '', suffix = ''] = metric.split('.');
  const parts: string[] = [];
  if (TOLD_APART.includes(by) && group !== '') parts.push(`${by} = ${quoted(group)}`);
  if (by === 'check' && group !== '') parts.push(`checks = ${quoted(group)}`);
  const meets = MEETS[metric];
  if (meets !== undefined) parts.push(meets);
  const measured = by === 'stage' && name === 'stage_ms' ? `${group}.ms` : MEASURED[name];
  if (measured !== undefined && suffix !== 'p50' && suffix in QUANTILES && typeof value === 'number') {
    parts.push(`${measured} >= ${value.toFixed(0)}ms`);
  }
  return parts.length === 0 ? undefined : parts.join(' and ');
}
