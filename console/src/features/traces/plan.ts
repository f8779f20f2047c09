import { numberOf, type Span, type Trace } from './shapes';

/** A part of a model's window: what the plan gave it, and what of that was used. In tokens. */
export interface PlanPart {
  readonly id: 'system' | 'query' | 'passages' | 'history' | 'earlier' | 'answer' | 'margin';
  readonly words: string;
  readonly planned: number;
  /** Null of what is kept free: nothing is put in there. */
  readonly used: number | null;
}

export interface Plan {
  readonly window: number;
  readonly parts: readonly PlanPart[];
  /** Of all parts together, as it was counted. */
  readonly used: number;
  readonly leftOut: number;
}

const WORDS: Record<PlanPart['id'], string> = {
  system: 'Instructions',
  query: 'Question',
  passages: 'Passages',
  history: 'Turns of the conversation',
  earlier: 'Summary of what came before',
  answer: 'Reserved for the answer',
  margin: 'Left free: other tokenizers count otherwise',
};

/** The plan of the prompt that was used in the end: it may be laid out anew for another tier. Null where none was assembled. */
export function planOf(trace: Trace): Plan | null {
  const span = trace.spans.findLast((each) => numberOf(each, 'plan_window_tokens') !== null);
  if (span === undefined) return null;
  const used: Partial<Record<PlanPart['id'], number | null>> = {
    system: numberOf(span, 'plan_system_tokens'),
    query: numberOf(span, 'plan_query_tokens'),
    passages: numberOf(span, 'passages_tokens'),
    history: numberOf(span, 'history_tokens'),
    earlier: numberOf(span, 'earlier_tokens'),
  };
  const ids = ['system', 'query', 'passages', 'history', 'earlier', 'answer', 'margin'] as const;
  return {
    window: numberOf(span, 'plan_window_tokens') ?? 0,
    parts: ids.map((id) => ({ id, words: WORDS[id], planned: planned(span, id), used: used[id] ?? null })),
    used: numberOf(span, 'prompt_tokens') ?? 0,
    leftOut: numberOf(span, 'left_out') ?? 0,
  };
}

function planned(span: Span, id: PlanPart['id']): number {
  return numberOf(span, `plan_${id}_tokens`) ?? 0;
}
