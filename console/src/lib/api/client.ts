import { queryOptions } from '@tanstack/react-query';
import createClient, { type MaybeOptionalInit } from 'openapi-fetch';
import type { PathsWithMethod } from 'openapi-typescript-helpers';

import { storedKey } from '@/lib/key';

import { ApiError, errorOf } from './error';
import type { paths } from './schema';

/** Ken's API, typed by its own description. Failures to reach it are ApiErrors with the status 0. */
export const api = createClient<paths>({ baseUrl: '', fetch: send });

/** Fetch from Ken with this tab's key. Throws ApiError where it can't be reached; an abort passes through as it is. */
export async function send(request: Request): Promise<Response> {
  const key = storedKey();
  if (key !== null) request.headers.set('authorization', `Bearer ${key}`);
  try {
    return await fetch(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError("Ken can't be reached. Is it still running, and is this machine connected to it?", 0);
  }
}

/** The body of a success; throws ApiError otherwise. For mutations: `await unwrap(api.POST('/api/syncs', { body }))`. */
export async function unwrap<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw errorOf(response, error);
  return data as T;
}

type GetPath = PathsWithMethod<paths, 'get'>;
type GetInit<P extends GetPath> = MaybeOptionalInit<paths[P], 'get'>;

/** What a GET of this path answers with. */
export type Got<P extends GetPath> = paths[P] extends {
  get: { responses: { 200: { content: { 'application/json': infer Body } } } };
}
  ? Body
  : never;

/** The key of a GET's data in the cache: the path first, so that live events can refresh all that was read from it. */
export function queryKey<P extends GetPath>(path: P, init?: GetInit<P>): readonly unknown[] {
  return [path, init ?? null];
}

/** TanStack Query's options for a GET: `useQuery(apiQuery('/api/traces', { params: { query: { limit: 50 } } }))`. */
export function apiQuery<P extends GetPath>(path: P, init?: GetInit<P>) {
  return queryOptions<Got<P>, ApiError>({
    queryKey: queryKey(path, init),
    queryFn: ({ signal }) => fetched(path, init, signal),
  });
}

/** The answer of a GET, once, without the cache. Throws ApiError. */
export async function fetched<P extends GetPath>(path: P, init?: GetInit<P>, signal?: AbortSignal): Promise<Got<P>> {
  const get = api.GET as (path: P, init: unknown) => Promise<{ data?: unknown; error?: unknown; response: Response }>;
  return (await unwrap(get(path, { ...init, signal }))) as Got<P>;
}
