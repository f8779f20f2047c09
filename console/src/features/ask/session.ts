import { fetched } from '@/lib/api/client';
import { ApiError } from '@/lib/api/error';
import { onKeyChange } from '@/lib/key';
import { events } from '@/lib/stream';

import { draft } from './draft';
import { begun, brokenOff, exchangesOf, taken, type Exchange, type Said } from './exchange';
import { forgetUnanswered, keepUnanswered, unansweredIn } from './unanswered';

export interface SessionState {
  readonly conversationId: string | null;
  readonly title: string;
  readonly exchanges: readonly Exchange[];
  /** Of a conversation that was begun before: whether its turns are there. */
  readonly loading: boolean;
  readonly error: ApiError | null;
}

export interface Asked {
  readonly question: string;
  readonly collections: readonly string[];
  /** The place of the exchange that this one takes, with all that followed. */
  readonly at?: number;
  readonly fresh?: boolean;
}

/**
 * One conversation in this tab. It lives beside the page: an answer goes on coming while its reader looks at something else.
 * Tells its listeners of changes once a frame at most.
 */
export class Session {
  #state: SessionState;
  #listeners = new Set<() => void>();
  #running: AbortController | null = null;
  #frame: (() => void) | null = null;
  #onBegun: (id: string) => void = () => undefined;
  #onRefused: () => void = () => undefined;

  constructor(conversationId: string | null) {
    const exchanges = conversationId === null ? withLeft(null, []) : [];
    this.#state = { conversationId, title: '', exchanges, loading: conversationId !== null, error: null };
    if (conversationId !== null) void this.load();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): SessionState => this.#state;

  /** Whether an answer is coming. */
  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** Call back once the conversation has an id. */
  whenBegun(told: (id: string) => void): void {
    this.#onBegun = told;
  }

  /** Call back when a key is wanted that is known. */
  whenRefused(told: () => void): void {
    this.#onRefused = told;
  }

  /** Read the conversation as the server has it. */
  async load(): Promise<void> {
    const id = this.#state.conversationId;
    if (id === null) return;
    try {
      const kept = await fetched('/api/conversations/{conversation_id}', { params: { path: { conversation_id: id } } });
      if (this.isRunning) return;
      const found = withLeft(id, exchangesOf(kept.turns));
      // What was seen to come stays as it is: it has its stages, too.
      const exchanges = isSame(found, this.#state.exchanges) ? this.#state.exchanges : found;
      this.#set({ title: kept.title, exchanges, loading: false, error: null });
    } catch (error) {
      if (error instanceof ApiError) this.#set({ loading: false, error });
      else throw error;
    }
  }

  /** Stop the answer that is coming: what came stays. */
  stop(): void {
    this.#running?.abort();
  }

  /** Give it the title that it was given. */
  retitle(title: string): void {
    this.#set({ title });
  }

  /** Begin anew, as a conversation that nothing was asked in. */
  reset(): void {
    this.stop();
    forgetUnanswered();
    this.#set({ conversationId: null, title: '', exchanges: [], loading: false, error: null });
  }

  /** Note what the reader said of an answer. */
  said(traceId: string, said: Said): void {
    this.#set({
      exchanges: this.#state.exchanges.map((each) => (each.traceId === traceId ? { ...each, said } : each)),
    });
  }

  /** Ask, and take in what comes. Resolves when the answer has ended, however it did. */
  async ask({ question, collections, at, fresh }: Asked): Promise<void> {
    if (this.isRunning) return;
    const running = new AbortController();
    this.#running = running;
    const before = this.#state.exchanges;
    const place = at ?? before.length;
    const title = place === 0 && this.#state.title === before[0]?.question ? question : this.#state.title;
    this.#set({ exchanges: [...before.slice(0, place), begun(question)], title, error: null });
    keepUnanswered({ question, conversationId: this.#state.conversationId, traceId: null });
    try {
      const insteadOf = at === undefined ? null : await this.#kept(before.slice(place));
      const body = {
        question,
        conversation_id: this.#state.conversationId,
        collections: collections.length === 0 ? null : collections,
        ...(insteadOf === null ? {} : { instead_of: insteadOf }),
        ...(fresh === true ? { fresh } : {}),
      };
      const onOpen = (headers: Headers) => {
        const traceId = headers.get('x-ken-trace-id');
        this.#change((exchange) => ({ ...exchange, traceId }));
        // From here on the server keeps the question, whatever becomes of it.
        this.#begin(headers.get('x-ken-conversation-id'), question);
        keepUnanswered({ question, conversationId: this.#state.conversationId, traceId });
      };
      for await (const { name, data } of events('/api/ask', {
        method: 'POST',
        body,
        signal: running.signal,
        onOpen,
      })) {
        if (name === 'error') throw told(data);
        this.#change((exchange) => taken(exchange, name, data), name === 'answer');
      }
      this.#change((exchange) => (exchange.phase === 'running' ? brokenOff(exchange) : exchange), true);
      if (this.#state.exchanges.at(-1)?.phase === 'done') forgetUnanswered();
    } catch (error) {
      if (error instanceof ApiError && error.needsKey) this.#putBack(question, before);
      else this.#failed(error, running.signal.aborted);
    } finally {
      this.#running = null;
      this.#tell();
    }
    if (place === 0) await this.#followTitle(); // the next question may be asked meanwhile
  }

  #begin(id: string | null, title: string): void {
    if (id === null || this.#state.conversationId !== null) return;
    this.#set({ conversationId: id, title });
    sessions.adopt(id, this);
    this.#onBegun(id);
  }

  /** The trace of the first of these that the server has kept; null where there is none, and nothing to replace. */
  async #kept(exchanges: readonly Exchange[]): Promise<string | null> {
    const id = this.#state.conversationId;
    if (id === null) return null;
    try {
      const kept = await fetched('/api/conversations/{conversation_id}', { params: { path: { conversation_id: id } } });
      const known = new Set(kept.turns.map((turn) => turn.trace_id));
      return exchanges.find((each) => each.traceId !== null && known.has(each.traceId))?.traceId ?? null;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      this.#set({ conversationId: null }); // nothing of it was kept, or it was deleted elsewhere: it begins anew
      return null;
    }
  }

  /** The server names a conversation by its first question, unless it was named otherwise. */
  async #followTitle(): Promise<void> {
    const id = this.#state.conversationId;
    if (id === null) return;
    try {
      const kept = await fetched('/api/conversations/{conversation_id}', { params: { path: { conversation_id: id } } });
      this.#set({ title: kept.title });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // the answer is there all the same
    }
  }

  /** A key that isn't known (any more): all is as it was, and the question is where it was written. */
  #putBack(question: string, before: readonly Exchange[]): void {
    forgetUnanswered();
    draft.set(question);
    this.#set({ exchanges: before });
    this.#onRefused();
  }

  #failed(error: unknown, isStopped: boolean): void {
    if (isStopped) {
      if (this.#state.conversationId !== null) forgetUnanswered();
      const came = this.#state.exchanges.at(-1)?.text ?? '';
      const told =
        came === '' ? 'You stopped this answer before it began.' : 'You stopped this answer; what came stays.';
      const notice = { kind: '', text: told };
      this.#change((one) => ({ ...one, phase: 'stopped', notices: [...one.notices, notice] }), true);
    } else if (error instanceof ApiError) {
      const traceId = error.traceId;
      this.#change((one) => ({ ...one, phase: 'failed', error, traceId: traceId ?? one.traceId }), true);
    } else {
      const told = new ApiError('What Ken sent could not be read.', 0);
      this.#change((exchange) => ({ ...exchange, phase: 'failed', error: told }), true);
      throw error;
    }
  }

  #change(change: (exchange: Exchange) => Exchange, atOnce = false): void {
    const { exchanges } = this.#state;
    const last = exchanges.at(-1);
    if (last === undefined) return;
    this.#state = { ...this.#state, exchanges: [...exchanges.slice(0, -1), change(last)] };
    if (atOnce) this.#tell();
    else this.#frame ??= nextFrame(() => this.#tell());
  }

  #set(change: Partial<SessionState>): void {
    this.#state = { ...this.#state, ...change };
    this.#tell();
  }

  #tell(): void {
    this.#frame?.();
    this.#frame = null;
    for (const listener of this.#listeners) listener();
  }
}

/** Call back in the next frame, or soon in a hidden tab, which draws none; returns how to leave it. */
function nextFrame(callback: () => void): () => void {
  if (document.hidden) {
    const timer = setTimeout(callback, 250);
    return () => clearTimeout(timer);
  }
  const frame = requestAnimationFrame(callback);
  return () => cancelAnimationFrame(frame);
}

/** The exchanges, with the question at their end that this tab has asked last, where the server has kept nothing of it. */
function withLeft(id: string | null, found: readonly Exchange[]): readonly Exchange[] {
  const left = unansweredIn(id);
  if (left === null || found.some((each) => each.traceId !== null && each.traceId === left.traceId)) return found;
  return [...found, brokenOff({ ...begun(left.question), traceId: left.traceId })];
}

function isSame(some: readonly Exchange[], others: readonly Exchange[]): boolean {
  if (some.length !== others.length) return false;
  return some.every((each, at) => {
    const other = others[at];
    return (
      each.traceId === other?.traceId &&
      each.text === other.text &&
      (each.phase === 'bare') === (other.phase === 'bare')
    );
  });
}

function told(data: unknown): ApiError {
  const { error } = data as { error: { message: string; kind?: string; trace_id?: string | null } };
  return new ApiError(error.message, 500, error.kind ?? '', error.trace_id ?? null);
}

/** The conversations of this tab by id. */
class Sessions {
  #byId = new Map<string, Session>();
  #fresh = new Session(null);

  /** The session of a conversation, made where there is none; for null, one that isn't begun. */
  of(id: string | null): Session {
    if (id === null) {
      if (this.#fresh.snapshot().conversationId !== null) this.#fresh = new Session(null);
      return this.#fresh;
    }
    const found = this.#byId.get(id) ?? new Session(id);
    this.#byId.set(id, found);
    return found;
  }

  /** A new conversation, even where one waits that failed before it began. What is under way in that one is stopped. */
  renew(): void {
    if (this.#fresh.snapshot().conversationId === null) this.#fresh.reset();
    this.#fresh = new Session(null);
  }

  retitle(id: string, title: string): void {
    this.#byId.get(id)?.retitle(title);
  }

  adopt(id: string, session: Session): void {
    this.#byId.set(id, session);
  }

  forget(id: string): void {
    this.#byId.get(id)?.stop();
    this.#byId.delete(id);
  }

  clear(): void {
    for (const session of this.#byId.values()) session.stop();
    this.#byId.clear();
    this.renew();
  }
}

export const sessions = new Sessions();

// Another key is another person.
onKeyChange(() => sessions.clear());
