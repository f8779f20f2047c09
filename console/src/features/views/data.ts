import { keepPreviousData, queryOptions } from '@tanstack/react-query';

import { apiQuery, type Got } from '@/lib/api/client';

import { filters, WINDOWS, type Dimension, type ViewId, type ViewsSearch } from './search';

export type View = Got<'/api/views/{name}'>;
export type ViewName = View['view'];
export type Panel = View['panels'][number];
export type Figure = Panel['figures'][string];
export type Line = Figure['lines'][string];
export type Marker = View['markers'][number];
export type Why = Got<'/api/why'>;
export type Hypothesis = Why['hypotheses'][number];

/** A window as the API is asked for it, and how long it is. */
export interface Window {
  readonly query: { readonly window?: number; readonly since?: string; readonly until?: string };
  readonly lengthS: number;
  /** Whether it ends now, and goes on with the clock. */
  readonly isLive: boolean;
}

const LONGEST_WHY_S = 14 * 86_400;
const REFRESH_MS = 30_000;
const LISTED = 50;

/** The window that the address names; the last week without one. */
export function windowOf({ window = '7d', since, until }: ViewsSearch): Window {
  if (since !== undefined && until !== undefined) {
    return { query: { since: String(since), until: String(until) }, lengthS: until - since, isLive: false };
  }
  const lengthS = WINDOWS[window];
  return { query: { window: lengthS }, lengthS, isLive: true };
}

/** Which of the API's views a part of the page is drawn from. */
export function sourceOf(view: ViewId): Parameters<typeof viewQuery>[0] {
  return view === 'story' ? 'overview' : view;
}

/** A view's figures. The last ones stay while those of another window are on their way. */
export function viewQuery(name: 'overview' | 'health' | 'cost' | 'quality' | 'latency', search: ViewsSearch) {
  const window = windowOf(search);
  const query = { ...window.query, ...filters(search) };
  return queryOptions({
    ...apiQuery('/api/views/{name}', { params: { path: { name }, query } }),
    placeholderData: keepPreviousData,
    refetchInterval: window.isLive ? REFRESH_MS : false,
    staleTime: window.isLive ? REFRESH_MS / 2 : Infinity,
  });
}

/** The overview of the window before, which is as long. */
export function beforeQuery(search: ViewsSearch) {
  const { lengthS } = windowOf(search);
  const ends = search.since !== undefined ? { until: String(search.since) } : { until: `${lengthS / 3600}h` };
  const query = { window: lengthS, ...ends, ...filters(search) };
  return queryOptions({
    ...apiQuery('/api/views/{name}', { params: { path: { name: 'overview' }, query } }),
    placeholderData: keepPreviousData,
    staleTime: 300_000,
  });
}

/** The values that a dimension had in the window, with their questions. */
export function valuesQuery(by: Dimension, search: ViewsSearch) {
  const { query } = windowOf(search);
  return queryOptions({
    ...apiQuery('/api/figures', { params: { query: { metric: 'questions', by, step: 86_400, ...query } } }),
    placeholderData: keepPreviousData,
    staleTime: 300_000,
  });
}

/** Hypotheses about the window; of more than two weeks about the last two. They know no filters. */
export function whyQuery(search: ViewsSearch) {
  const { lengthS } = windowOf(search);
  const length = Math.min(lengthS, LONGEST_WHY_S);
  const query =
    search.since !== undefined && search.until !== undefined
      ? { since: String(search.until - length), until: String(search.until) }
      : { since: `${length / 3600}h` };
  return queryOptions({
    ...apiQuery('/api/why', { params: { query } }),
    placeholderData: keepPreviousData,
    staleTime: 300_000,
    retry: false,
  });
}

/** The filter of the traces that are listed beside the charts; null where none are. */
export function tracesWhere(search: ViewsSearch): string | null {
  const { from, to, where } = search;
  if (from === undefined || to === undefined) return null;
  const narrowed = Object.entries(filters(search)).map(([name, value]) => `${name} = ${quoted(value)}`);
  return [
    'kind = question',
    `started >= ${written(from)}`,
    `started < ${written(to)}`,
    ...narrowed,
    ...(where === undefined ? [] : [where]),
  ].join(' and ');
}

/** The traces of a filter, the newest first. */
export function tracesQuery(where: string) {
  return queryOptions({
    ...apiQuery('/api/traces', { params: { query: { where, limit: LISTED } } }),
    placeholderData: keepPreviousData,
  });
}

/** A text as the filter language reads it, whatever is in it. */
export function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** A moment as the filter language reads it. */
function written(at: number): string {
  return `${new Date(at * 1000).toISOString().slice(0, 19)}Z`;
}
