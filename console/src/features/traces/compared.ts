import { count, duration, money, percent, UNKNOWN } from '@/lib/format';

import type { Trace } from './shapes';

/** One figure of two traces. */
export interface Compared {
  readonly name: string;
  readonly before: string;
  readonly after: string;
  /** What became of it; empty where nothing did, or it can't be told. */
  readonly change: string;
  readonly verdict: 'better' | 'worse' | 'neither';
}

/** Citations that both answers have, and those of one alone, by the passages that they name. */
export interface CitedBy {
  readonly kept: readonly string[];
  readonly lost: readonly string[];
  readonly added: readonly string[];
}

const LEAST_SHARE = 0.05;

/** The figures of two answers to one question; less time, fewer tokens and less money are better, more citations too. */
export function compared(before: Trace, after: Trace, currency: string): readonly Compared[] {
  const words = (name: string, of: (trace: Trace) => string): Compared => ({
    name,
    before: of(before) || UNKNOWN,
    after: of(after) || UNKNOWN,
    change: of(before) === of(after) ? '' : 'another',
    verdict: 'neither',
  });
  const figure = (
    name: string,
    of: (trace: Trace) => number | null,
    told: (value: number | null) => string,
    better?: 'less' | 'more',
  ) => {
    const [was, is] = [of(before), of(after)];
    return { name, before: told(was), after: told(is), ...moved(was, is, better) };
  };
  return [
    words('Outcome', (trace) => trace.outcome.replaceAll('_', ' ')),
    words('Model', (trace) => trace.model),
    words('Release', (trace) => trace.release),
    words('Corpus version', (trace) => String(trace.corpus_version)),
    figure('Took', (trace) => trace.ms, duration, 'less'),
    figure('First text after', (trace) => trace.ttft_ms, duration, 'less'),
    figure(
      'Cost',
      (trace) => trace.cost_micros,
      (value) => money(value, currency),
      'less',
    ),
    figure('Tokens in', (trace) => trace.input_tokens, count, 'less'),
    figure('Tokens out', (trace) => trace.output_tokens, count),
    figure('Passages given', (trace) => trace.evidence.length, count),
    figure(
      'Confidence',
      (trace) => trace.confidence,
      (value) => percent(value, 0),
      'more',
    ),
    words('Checks that found a fault', (trace) => trace.failed_checks.join(', ') || 'none'),
  ];
}

/** Which citations were kept, lost, and new. */
export function citedBy(before: Trace, after: Trace): CitedBy {
  const was = new Set(before.citations.map((each) => each.passage_id));
  const is = new Set(after.citations.map((each) => each.passage_id));
  return {
    kept: [...was].filter((each) => is.has(each)),
    lost: [...was].filter((each) => !is.has(each)),
    added: [...is].filter((each) => !was.has(each)),
  };
}

function moved(was: number | null, is: number | null, better?: 'less' | 'more'): Pick<Compared, 'change' | 'verdict'> {
  if (was === null || is === null || was === is) return { change: '', verdict: 'neither' };
  const share = was === 0 ? null : (is - was) / Math.abs(was);
  const sign = is > was ? '+' : '−';
  const change = share === null ? 'from nothing' : `${sign}${(Math.abs(share) * 100).toFixed(0)} %`;
  if (better === undefined || (share !== null && Math.abs(share) < LEAST_SHARE)) return { change, verdict: 'neither' };
  return { change, verdict: is > was === (better === 'more') ? 'better' : 'worse' };
}
