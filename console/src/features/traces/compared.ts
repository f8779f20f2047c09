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
    by = inPercent,
  ) => {
    const [was, is] = [of(before), of(after)];
    return { name, before: told(was), after: told(is), ...moved(was, is, { better, by }) };
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
      inPoints,
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

interface Judged {
  readonly better: 'less' | 'more' | undefined;
  readonly by: (was: number, is: number) => Step;
}

interface Step {
  readonly told: string;
  /** Of 1: how far it is; what hardly moved is neither better nor worse. */
  readonly size: number;
}

function moved(was: number | null, is: number | null, { better, by }: Judged): Pick<Compared, 'change' | 'verdict'> {
  if (was === null || is === null || was === is) return { change: '', verdict: 'neither' };
  const { told, size } = by(was, is);
  if (better === undefined || size < LEAST_SHARE) return { change: told, verdict: 'neither' };
  return { change: told, verdict: is > was === (better === 'more') ? 'better' : 'worse' };
}

function inPercent(was: number, is: number): Step {
  if (was === 0) return { told: 'from nothing', size: 1 };
  const size = Math.abs((is - was) / was);
  return { told: `${is > was ? '+' : '−'}${(size * 100).toFixed(0)} %`, size };
}

/** Of shares, which are percentages themselves: a percentage of those would be read as points. */
function inPoints(was: number, is: number): Step {
  const size = Math.abs(is - was);
  return { told: `${is > was ? '+' : '−'}${(size * 100).toFixed(0)} points`, size };
}
