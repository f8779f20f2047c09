import { QueryClient } from '@tanstack/react-query';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ApiError } from './api/error';
import { follow, isOf, waitMs } from './live';

/** A server of one stream at a time, which the test writes to and breaks. */
class Server {
  connections = 0;
  #stream: ReadableStreamDefaultController<Uint8Array> | undefined;

  readonly fetch = (input: Request): Promise<Response> => {
    this.connections += 1;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#stream = controller;
        input.signal.addEventListener('abort', () => {
          if (this.#stream === controller) this.#stream = undefined;
        });
      },
    });
    this.send('ready', { topics: [], at: 0 });
    return Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }));
  };

  send(name: string, data: unknown): void {
    this.#stream?.enqueue(new TextEncoder().encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`));
  }

  end(): void {
    this.#stream?.close();
    this.#stream = undefined;
  }

  get isHeard(): boolean {
    return this.#stream !== undefined;
  }
}

/** Node's own Request takes neither a path alone nor jsdom's signals. */
class LocalRequest {
  readonly headers = new Headers();
  readonly signal: AbortSignal;

  constructor(
    readonly url: string,
    init: { signal: AbortSignal },
  ) {
    this.signal = init.signal;
  }
}

/** Reads of each path, counted. */
function reading(client: QueryClient, path: string, data: unknown, meta: Record<string, unknown> = {}) {
  const read = vi.fn(() => Promise.resolve(data));
  const observer = client.getQueryCache().build(client, { queryKey: [path, null], queryFn: read, meta });
  void observer.fetch();
  // What nobody shows isn't read again; an invalidated query says that it would be.
  return { read, isOld: () => observer.state.isInvalidated, data: () => observer.state.data };
}

let server: Server;
let client: QueryClient;
let stop: () => void;

function hide(isHidden: boolean): void {
  Object.defineProperty(document, 'hidden', { configurable: true, value: isHidden });
  document.dispatchEvent(new Event('visibilitychange'));
}

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
  vi.stubGlobal('fetch', server.fetch);
  vi.stubGlobal('Request', LocalRequest);
  client = new QueryClient();
  stop = follow(client);
});

afterEach(() => {
  stop();
  client.clear();
  hide(false);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function settle(ms = 20): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

const RUNNING = { id: 7, source: 'papers', state: 'running', done: 1, total: 9, path: 'a.md' };

describe('a live connection', () => {
  it('makes the data of a topic old, and no other', async () => {
    const syncs = reading(client, '/api/syncs', []);
    const difference = reading(client, '/api/index/difference', {});
    const alerts = reading(client, '/api/alerts', {});
    await settle();
    server.send('changed', { topic: 'syncs', at: 1, syncs: [] });
    await settle();
    expect([syncs.isOld(), difference.isOld(), alerts.isOld()]).toEqual([true, true, false]);
  });

  it('writes progress into what is there without reading it again', async () => {
    const syncs = reading(client, '/api/syncs', [RUNNING]);
    await settle();
    server.send('changed', { topic: 'syncs', at: 1, syncs: [{ ...RUNNING, done: 5 }] });
    await settle();
    expect(syncs.data()).toEqual([{ ...RUNNING, done: 5 }]);
    expect(syncs.isOld()).toBe(false);
    server.send('changed', { topic: 'syncs', at: 2, syncs: [{ ...RUNNING, state: 'finished' }] });
    await settle();
    expect(syncs.isOld()).toBe(true);
  });

  it('reads again when a sync has begun that it did not know', async () => {
    const syncs = reading(client, '/api/syncs', [RUNNING]);
    await settle();
    server.send('changed', { topic: 'syncs', at: 1, syncs: [{ ...RUNNING, id: 8 }] });
    await settle();
    expect(syncs.isOld()).toBe(true);
  });

  it('refreshes often changing topics now and then, and once more at the end', async () => {
    await settle();
    const spy = vi.spyOn(client, 'invalidateQueries');
    for (let number = 0; number < 10; number += 1) {
      server.send('changed', { topic: 'traces', at: number, syncs: [] });
      await settle(300);
    }
    expect(spy).toHaveBeenCalledTimes(1);
    await settle(5000);
    expect(spy).toHaveBeenCalledTimes(2);
  });

  it('comes back after a break, and reads again what it may have missed', async () => {
    const alerts = reading(client, '/api/alerts', {});
    await settle();
    server.end();
    await settle();
    expect(server.isHeard).toBe(false);
    expect(alerts.isOld()).toBe(false);
    await settle(1100);
    expect(server.connections).toBe(2);
    expect(alerts.isOld()).toBe(true);
  });

  it('comes back at once when anything is answered, and tries again what failed meanwhile', async () => {
    await settle();
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('refused')));
    server.end();
    await settle(60_000);
    const failing = client.getQueryCache().build(client, {
      queryKey: ['/api/views/{name}', null],
      queryFn: () => Promise.reject(new ApiError('away', 0)),
      retry: false,
    });
    await failing.fetch().catch(() => undefined);
    vi.stubGlobal('fetch', server.fetch);
    expect([server.connections, failing.state.isInvalidated]).toEqual([1, true]);
    failing.setState({ isInvalidated: false });
    reading(client, '/api/me', {});
    await settle();
    expect([server.connections, server.isHeard, failing.state.isInvalidated]).toEqual([2, true, true]);
  });

  it('rests while the tab is hidden, and reads again once when it returns', async () => {
    const alerts = reading(client, '/api/alerts', {});
    await settle();
    hide(true);
    await settle(60_000);
    expect([server.connections, server.isHeard, alerts.isOld()]).toEqual([1, false, false]);
    hide(false);
    await settle();
    expect([server.connections, server.isHeard, alerts.isOld()]).toEqual([2, true, true]);
  });

  it('stops when it is told to', async () => {
    await settle();
    stop();
    await settle(60_000);
    expect([server.connections, server.isHeard]).toEqual([1, false]);
  });

  it('does not ask again and again where it is refused', async () => {
    stop();
    const refuse = vi.fn(() => Promise.resolve(new Response('{}', { status: 401 })));
    vi.stubGlobal('fetch', refuse);
    stop = follow(client);
    await settle(60_000);
    expect(refuse).toHaveBeenCalledTimes(1);
  });
});

it('waits longer after each failure, never in step with others', () => {
  expect([0, 1, 2, 10].map((failures) => waitMs(failures, () => 1))).toEqual([1000, 2000, 4000, 30_000]);
  expect(waitMs(3, () => 0)).toBe(4000);
});

it('knows which data a topic makes old', () => {
  const of = (path: string, meta?: Record<string, unknown>) => ({ queryKey: [path, null], meta });
  expect(isOf('traces', of('/api/traces'))).toBe(true);
  expect(isOf('traces', of('/api/traces/{trace_id}'))).toBe(false);
  expect(isOf('syncs', of('/api/sources/{source_id}/documents'))).toBe(true);
  expect(isOf('syncs', of('/api/syncsomething'))).toBe(false);
  expect(isOf('traces', of('/api/traces', { live: false }))).toBe(false);
});
