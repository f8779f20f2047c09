import { money } from '@/lib/format';

import type { Cost } from './types';

/** Calls, what the known ones cost in millionths, and how many have no known price. */
export interface Sum {
  readonly calls: number;
  readonly micros: number;
  readonly unknown: number;
}

/** All rows together. */
export function total(costs: readonly Cost[]): Sum {
  return costs.reduce(
    (sum, cost) => ({
      calls: sum.calls + cost.calls,
      micros: sum.micros + cost.cost_micros,
      unknown: sum.unknown + cost.unknown_calls,
    }),
    { calls: 0, micros: 0, unknown: 0 },
  );
}

/** A sum in words: unknown where no price is known, "at least" where some isn't. */
export function costInWords({ calls, micros, unknown }: Sum, currency: string): string {
  if (calls > 0 && unknown >= calls) return 'unknown';
  return unknown > 0 ? `at least ${money(micros, currency)}` : money(micros, currency);
}

const DAY_S = 86_400;

/** Every UTC day from `since` to `until`: 0 without a call, null where no price is known; and where some weren't, how many. */
export function byDay(
  costs: readonly Cost[],
  { since, until }: { readonly since: number; readonly until: number },
): {
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
  readonly unknown: readonly { readonly at: number; readonly calls: number }[];
} {
  const found = new Map(costs.map((cost) => [cost.of, cost]));
  const times: number[] = [];
  for (let at = Math.floor(since / DAY_S) * DAY_S; at < until; at += DAY_S) times.push(at);
  const days = times.map((at) => found.get(new Date(at * 1000).toISOString().slice(0, 10)));
  return {
    times,
    values: days.map((cost) => (cost === undefined ? 0 : cost.unknown_calls === cost.calls ? null : cost.cost_micros)),
    unknown: times.flatMap((at, place) => {
      const calls = days[place]?.unknown_calls ?? 0;
      return calls === 0 ? [] : [{ at: at + DAY_S / 2, calls }];
    }),
  };
}
