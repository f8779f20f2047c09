import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';

import { apiQuery, fetched } from '@/lib/api/client';
import type { ApiError } from '@/lib/api/error';

import type { Since, TracesSearch } from './search';
import type { Found } from './shapes';

const FIRST_PAGE = 100;
/** Of who scrolls on: fewer requests, as many rows as the server gives. */
const NEXT_PAGE = 500;
const NEWEST = 50;

export interface Narrowing {
  readonly where: string;
}

/** The filter that an address stands for, in the language of the server; empty for all traces. */
export function whereOf(search: TracesSearch): string {
  const parts = [
    search.where === undefined ? '' : `(${search.where})`,
    search.outcome === undefined ? '' : `outcome = ${search.outcome}`,
    search.kind === undefined ? '' : `kind = ${search.kind}`,
    search.since === undefined ? '' : `started > -${search.since satisfies Since}`,
  ].filter((part) => part !== '');
  // Brackets around the only part would make its errors' places wrong by one.
  return parts.length === 1 && search.where !== undefined ? search.where : parts.join(' and ');
}

/** What the server says of the filter in the box, whose brackets within the whole filter moved it by one. */
export function ofBox(message: string, search: TracesSearch): string {
  if (search.where === undefined || whereOf(search) === search.where) return message;
  return message.replace(/at character (\d+)/, (_, at: string) => `at character ${Number(at) - 1}`);
}

/**
 * The list, page by page. Its key is its own: an event that tells of new traces must not read thousands of rows again, nor move the
 * one that somebody reads; what is new is counted by `newestQuery`, and shown when it is asked for.
 */
export function listQuery(search: TracesSearch) {
  const where = whereOf(search);
  return infiniteQueryOptions({
    queryKey: ['traces-list', where],
    queryFn: ({ pageParam, signal }) => page(where, pageParam === null ? FIRST_PAGE : NEXT_PAGE, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.before,
    staleTime: Infinity,
  });
}

/** The newest traces of the same filter: read again whenever the server tells of new ones, by the path in its key. */
export function newestQuery(search: TracesSearch) {
  const where = whereOf(search);
  return queryOptions<Awaited<ReturnType<typeof page>>, ApiError>({
    queryKey: ['/api/traces', { where, newest: true }],
    queryFn: ({ signal }) => page(where, NEWEST, null, signal),
  });
}

/** One trace with its spans. */
export function traceQuery(traceId: string) {
  return apiQuery('/api/traces/{trace_id}', { params: { path: { trace_id: traceId } } });
}

/** How many of the newest traces the list doesn't have yet. */
export function unseen(newest: readonly Found[] | undefined, shown: readonly Found[]): number {
  const first = shown[0];
  if (newest === undefined || newest.length === 0) return 0;
  if (first === undefined) return newest.length;
  const known = new Set(shown.slice(0, NEWEST * 2).map((each) => each.id));
  return newest.filter((each) => each.started_at >= first.started_at && !known.has(each.id)).length;
}

function page(where: string, limit: number, before: string | null, signal: AbortSignal) {
  const query = { limit, ...(where === '' ? {} : { where }), ...(before === null ? {} : { before }) };
  return fetched('/api/traces', { params: { query } }, signal);
}
