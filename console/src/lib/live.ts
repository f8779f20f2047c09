import type { Query, QueryClient } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';

import { ApiError } from './api/error';
import type { SyncShape } from './api/schema';
import { onKeyChange } from './key';
import { events } from './stream';

/** What the server tells of (`GET /api/live`). */
export type Topic = 'syncs' | 'alerts' | 'gateway' | 'traces' | 'conversations';

/** How the connection stands: `paused` while the tab is hidden, `away` while it is tried again. */
export type Connection = 'connecting' | 'live' | 'paused' | 'away' | 'refused';

interface Reach {
  /** Data under these paths is read again, and under what continues them. */
  readonly under: readonly string[];
  /** Data of these paths alone. */
  readonly exact?: readonly string[];
  /** At most so often; the last change is never missed. */
  readonly everyMs: number;
}

/** Which data each topic makes old. A trace never changes by another one, so that an open one stays as it is. */
const REACH: Readonly<Record<Topic, Reach>> = {
  syncs: {
    under: ['/api/syncs', '/api/sources', '/api/index', '/api/collections', '/api/documents', '/api/search'],
    everyMs: 1500,
  },
  alerts: { under: ['/api/alerts'], everyMs: 1000 },
  gateway: { under: ['/api/gateway/health', '/api/gateway/models'], everyMs: 1000 },
  traces: { under: ['/api/gateway/budgets'], exact: ['/api/traces'], everyMs: 5000 },
  conversations: { under: ['/api/conversations'], everyMs: 1000 },
};
const TOPICS = Object.keys(REACH) as Topic[];

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;

interface Changed {
  readonly topic: Topic;
  readonly syncs: readonly SyncShape[];
}

/**
 * Keep the cache as the server is: one connection for the whole console. A query with `meta: { live: false }` is left alone (a list
 * that somebody has scrolled down in, say); it may look at `useConnection` and offer to refresh instead.
 */
export function useLive(queryClient: QueryClient): void {
  useEffect(() => follow(queryClient), [queryClient]);
}

/** How the connection stands. */
export function useConnection(): Connection {
  return useSyncExternalStore(subscribe, () => connection);
}

/** Listen until the returned function is called. */
export function follow(queryClient: QueryClient): () => void {
  const refresh = refresher(queryClient);
  let hangUp = new AbortController();
  let isOver = false;
  const restart = () => {
    hangUp.abort();
    if (isOver) return;
    hangUp = new AbortController();
    if (document.hidden) tell('paused');
    else void listen(queryClient, refresh, hangUp.signal);
  };
  const onVisibility = () => {
    restart();
    if (!document.hidden) refresh.all();
  };
  const forgetKey = onKeyChange(restart);
  // Whoever is answered by the server need not wait out the pause to hear that it is back.
  const forgetAnswers = queryClient.getQueryCache().subscribe((event) => {
    if (connection === 'away' && event.type === 'updated' && event.action.type === 'success') restart();
  });
  document.addEventListener('visibilitychange', onVisibility);
  window.addEventListener('online', restart);
  restart();
  return () => {
    isOver = true;
    hangUp.abort();
    refresh.cancel();
    forgetKey();
    forgetAnswers();
    document.removeEventListener('visibilitychange', onVisibility);
    window.removeEventListener('online', restart);
  };
}

async function listen(queryClient: QueryClient, refresh: Refresher, signal: AbortSignal): Promise<void> {
  let failures = 0;
  // What begins anew while the server was away has missed what it told meanwhile.
  let wasLive = connection === 'away';
  tell('connecting');
  while (!isOver(signal)) {
    try {
      for await (const event of events('/api/live', { signal })) {
        if (event.name === 'ready') {
          // What happened while nobody listened, nobody told.
          if (wasLive) {
            refresh.all();
            refresh.failed();
          }
          wasLive = true;
          failures = 0;
          tell('live');
        } else if (event.name === 'changed') {
          const changed = event.data as Changed;
          if (!moved(queryClient, changed)) refresh.topic(changed.topic);
        }
      }
    } catch (error) {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
        tell('refused'); // until there is another key
        return;
      }
    }
    if (isOver(signal)) return;
    tell('away');
    await pause(waitMs(failures), signal);
    failures += 1;
  }
}

/** It changes meanwhile, which the compiler would not have seen. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** How long to wait after so many failures, in milliseconds: longer each time, and never all consoles at once. */
export function waitMs(failures: number, random: () => number = Math.random): number {
  return Math.min(FIRST_WAIT_MS * 2 ** failures, LONGEST_WAIT_MS) * (0.5 + random() / 2);
}

/** Syncs that merely got further are written into what is there; false where more is to be read again. */
function moved(queryClient: QueryClient, { topic, syncs }: Changed): boolean {
  if (topic !== 'syncs' || syncs.length === 0 || syncs.some((each) => each.state !== 'running')) return false;
  const told = new Map(syncs.map((each) => [each.id, each]));
  let areKnown = true;
  queryClient.setQueriesData<readonly SyncShape[]>({ queryKey: ['/api/syncs'] }, (rows) => {
    if (rows === undefined) return rows;
    const known = new Set(rows.map((each) => each.id));
    areKnown &&= syncs.every((each) => known.has(each.id));
    return rows.map((each) => told.get(each.id) ?? each);
  });
  return areKnown;
}

type Refresher = ReturnType<typeof refresher>;

function refresher(queryClient: QueryClient) {
  const timers = new Map<Topic, ReturnType<typeof setTimeout>>();
  const last = new Map<Topic, number>();
  const now = (topic: Topic) => {
    clearTimeout(timers.get(topic));
    timers.delete(topic);
    last.set(topic, Date.now());
    void queryClient.invalidateQueries({ predicate: (query) => isOf(topic, query) });
  };
  const soon = (topic: Topic) => {
    if (timers.has(topic)) return;
    const left = (last.get(topic) ?? 0) + REACH[topic].everyMs - Date.now();
    if (left <= 0) now(topic);
    else
      timers.set(
        topic,
        setTimeout(() => now(topic), left),
      );
  };
  return {
    topic: soon,
    all: () => TOPICS.forEach(now),
    /** What could not be read while the server was away, of whatever topic. */
    failed: () =>
      void queryClient.invalidateQueries({
        predicate: ({ state }) => state.error instanceof ApiError && state.error.isPassing,
      }),
    cancel: () => timers.forEach(clearTimeout),
  };
}

/** Whether a topic makes a query's data old. */
export function isOf(topic: Topic, query: Pick<Query, 'queryKey' | 'meta'>): boolean {
  const path = query.queryKey[0];
  if (typeof path !== 'string' || query.meta?.live === false) return false;
  const { under, exact = [] } = REACH[topic];
  return exact.includes(path) || under.some((each) => path === each || path.startsWith(`${each}/`));
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

let connection: Connection = 'connecting';
const watchers = new Set<() => void>();

function tell(now: Connection): void {
  connection = now;
  for (const watch of watchers) watch();
}

function subscribe(watch: () => void): () => void {
  watchers.add(watch);
  return () => watchers.delete(watch);
}
