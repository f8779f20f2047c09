import { Repeat2, ThumbsDown, ThumbsUp } from 'lucide-react';
import type { ReactNode } from 'react';

import { count } from '@/lib/format';
import { Badge, type Tone } from '@/ui/badge';

import { UNASKED, type Found, type Trace } from './shapes';

const OUTCOMES: Record<string, readonly [words: string, tone: Tone]> = {
  answered: ['Answered', 'good'],
  finished: ['Finished', 'good'],
  abstained: ['Beyond my ken', 'beyond'],
  refused: ['Refused', 'warn'],
  asked_back: ['Asked back', 'accent'],
  failed: ['Failed', 'fault'],
};

/** What kinds of traces are called. */
export const KIND_WORDS: Record<string, string> = {
  question: 'Questions',
  call: 'Calls of applications',
  sync: 'Syncs',
  eval: 'Tests and re-runs',
  shadow: 'Shadows of the cache',
  external: "Other services' spans",
};

/** Why a trace is kept whole. */
export const REASON_WORDS: Record<string, string> = {
  error: 'it failed',
  flagged: 'a check found a fault',
  thumbs_down: 'somebody found it unhelpful',
  poor: 'a judge found it poor',
  escalated: 'it was escalated',
  degraded: 'it was answered with less',
  slow: 'it was slow',
  sampled: 'it was drawn as a sample',
};

/** How it ended, as a badge. */
export function Outcome({ trace }: { readonly trace: Pick<Found, 'outcome' | 'cached'> }) {
  const [words, tone] = OUTCOMES[trace.outcome] ?? [trace.outcome, 'neutral'];
  return trace.cached ? (
    <Badge tone={tone} icon={<Repeat2 />} title="It was given before, and came from the answer cache">
      {words}
      <span className="unseen">, from the cache</span>
    </Badge>
  ) : (
    <Badge tone={tone}>{words}</Badge>
  );
}

/** What a trace is about: its question, or what else it was. */
export function titleOf(trace: Pick<Found, 'kind' | 'question' | 'capture' | 'model'>): string {
  if (trace.kind === 'external') return 'Spans of other services';
  if (trace.capture === 'metrics') return 'Its text is no longer kept';
  if (trace.question === '') return trace.kind === 'call' ? `Call of ${trace.model}` : 'No text';
  return trace.question;
}

/** Tokens read and written. */
export function tokensOf(trace: Pick<Found, 'input_tokens' | 'output_tokens'>): string {
  return `${count(trace.input_tokens)} / ${count(trace.output_tokens)}`;
}

/** What people said of an answer, for the eye and for screen readers. */
export function Helpful({ helpful }: { readonly helpful: boolean | null }): ReactNode {
  if (helpful === null) return '–';
  const Icon = helpful ? ThumbsUp : ThumbsDown;
  return (
    <>
      <Icon aria-hidden="true" size="1rem" />
      <span className="unseen">{helpful ? 'Helpful' : 'Not helpful'}</span>
    </>
  );
}

/** Whether somebody was answered in it. */
export function isAsked(trace: Pick<Trace, 'kind'>): boolean {
  return !UNASKED.has(trace.kind);
}
