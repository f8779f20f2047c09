import { ApiError } from '@/lib/api/error';
import type { Answer, Citation, Shape } from '@/lib/api/types';

export type Turn = Shape<'TurnShape'>;
export type Said = Shape<'OwnWordShape'>;

/** A stage of an answer: under way without `ms`. */
export interface Stage {
  readonly name: string;
  readonly ms: number | null;
  readonly detail: string;
}

/** Something to be known of an answer; the kind is empty where only the text was kept. */
export interface Notice {
  readonly kind: string;
  readonly text: string;
}

/** How far an answer has come. `bare`: a kept text, of which nothing more is known or may be shown. */
export type Phase = 'running' | 'done' | 'stopped' | 'failed' | 'bare';

/** A question with what came of it. */
export interface Exchange {
  readonly key: string;
  readonly question: string;
  readonly phase: Phase;
  readonly traceId: string | null;
  readonly text: string;
  readonly stages: readonly Stage[];
  readonly citations: readonly Citation[];
  readonly notices: readonly Notice[];
  readonly answer: Answer | null;
  readonly error: ApiError | null;
  readonly said: Said | null;
}

let made = 0;

/** A question that was just asked. */
export function begun(question: string): Exchange {
  made += 1;
  return {
    key: `asked-${made}`,
    question,
    phase: 'running',
    traceId: null,
    text: '',
    stages: [],
    citations: [],
    notices: [],
    answer: null,
    error: null,
    said: null,
  };
}

/** A question whose answer ends before its end, as nobody answers any more. */
export function brokenOff(exchange: Exchange): Exchange {
  return { ...exchange, phase: 'failed', error: new ApiError('The connection broke before the end.', 0) };
}

/** Kept turns as questions with their answers. */
export function exchangesOf(turns: readonly Turn[]): readonly Exchange[] {
  const exchanges: Exchange[] = [];
  let question = '';
  turns.forEach((turn, index) => {
    if (turn.role === 'user') question = turn.content;
    else exchanges.push({ ...kept(turn), question, key: `kept-${turn.trace_id ?? index}` });
  });
  return exchanges;
}

function kept(turn: Turn): Exchange {
  const { answer } = turn;
  const failed = answer?.outcome === 'failed';
  return {
    ...begun(''),
    phase: answer === null ? 'bare' : failed ? 'stopped' : 'done',
    traceId: turn.trace_id,
    text: turn.content,
    citations: answer?.citations ?? [],
    notices: answer?.notices.map((text) => ({ kind: kindOf(text, answer), text })) ?? [],
    answer: failed ? null : answer,
    said: turn.said,
  };
}

function kindOf(text: string, answer: Answer): string {
  if (answer.cached && text === answer.notices[0]) return 'cached';
  return answer.conflicts.length > 0 && text.startsWith('The documents disagree') ? 'conflict' : '';
}

/** One event of the stream taken in. Events of kinds that aren't known here change nothing. */
export function taken(exchange: Exchange, name: string, data: unknown): Exchange {
  switch (name) {
    case 'stage':
      return { ...exchange, stages: ticked(exchange.stages, data as StageEvent) };
    case 'token':
      return { ...exchange, text: exchange.text + (data as { readonly text: string }).text };
    case 'citation':
      return { ...exchange, citations: [...exchange.citations, data as Citation] };
    case 'notice':
      return { ...exchange, notices: [...exchange.notices, data as Notice] };
    case 'answer':
      return answered(exchange, data as Answer);
    default:
      return exchange;
  }
}

interface StageEvent {
  readonly stage: string;
  readonly state: 'started' | 'finished';
  readonly ms?: number;
  readonly detail?: string;
}

function ticked(stages: readonly Stage[], { stage, state, ms, detail }: StageEvent): readonly Stage[] {
  if (state === 'started') return [...stages, { name: stage, ms: null, detail: '' }];
  const index = stages.findLastIndex((each) => each.name === stage && each.ms === null);
  return stages.map((each, at) => (at === index ? { name: stage, ms: ms ?? 0, detail: detail ?? '' } : each));
}

function answered(exchange: Exchange, answer: Answer): Exchange {
  const shown = new Set(exchange.notices.map((each) => each.text));
  const more = answer.notices.filter((text) => !shown.has(text)).map((text) => ({ kind: kindOf(text, answer), text }));
  return {
    ...exchange,
    phase: 'done',
    traceId: answer.trace_id,
    text: answer.text,
    citations: answer.citations,
    notices: [...exchange.notices, ...more],
    answer,
  };
}
