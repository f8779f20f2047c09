import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query';

import { api, apiQuery, unwrap } from '@/lib/api/client';
import type { ApiError } from '@/lib/api/error';

import type { Backtest, Checked } from './shapes';

/** What changes is told live; the values of what is on move on without that. */
const POLL_MS = 30_000;
/** An alert that changes changes nothing of what was worked out over the record. */
const OF_THE_RECORD = { live: false };

/** The alerts as they stand, and the silences in force. */
export const standing = { ...apiQuery('/api/alerts'), refetchInterval: POLL_MS };

/** All rules in force. */
export const rules = apiQuery('/api/alerts/rules');

/** The currency of the price list. */
export function useCurrency(): string {
  return useQuery(apiQuery('/api/me')).data?.currency ?? 'USD';
}

export interface Tried {
  /** A rule in force, as it is. */
  readonly name?: string;
  /** Or one as it is written. */
  readonly rule?: Readonly<Record<string, unknown>>;
  readonly since: number;
  readonly until: number;
}

/** When a rule would have fired; the last answer stays until the next one is there. */
export function backtestQuery(tried: Tried) {
  return queryOptions<Backtest, ApiError>({
    queryKey: ['/api/alerts/backtest', tried],
    queryFn: ({ signal }) => unwrap(api.POST('/api/alerts/backtest', { body: bodyOf(tried), signal })),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    retry: false,
    meta: OF_THE_RECORD,
  });
}

function bodyOf({ name, rule, since, until }: Tried) {
  return {
    since,
    until,
    at_most_s: 15,
    ...(name === undefined ? {} : { name }),
    ...(rule === undefined ? {} : { rule }),
  };
}

/** What is wrong with a rule as it is written; nothing of it is kept. */
export function checkQuery(table: Readonly<Record<string, unknown>>) {
  return queryOptions<Checked, ApiError>({
    queryKey: ['/api/alerts/rules/check', table],
    queryFn: ({ signal }) => unwrap(api.POST('/api/alerts/rules/check', { body: table, signal })),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    retry: false,
    meta: OF_THE_RECORD,
  });
}
