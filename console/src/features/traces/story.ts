import { numberOf, textOf, type Scalar, type Span, type Trace } from './shapes';

/** One thing that went into a step or came out of it. */
export interface Fact {
  readonly label: string;
  readonly text: string;
  /** Long texts stand in a frame of their own. */
  readonly isLong?: boolean;
  /** The tab that shows all of it. */
  readonly tab?: 'answer' | 'passages' | 'prompt' | 'checks';
}

export interface Story {
  /** What the step does, in a sentence. */
  readonly about: string;
  readonly inputs: readonly Fact[];
  readonly outputs: readonly Fact[];
}

const ABOUT: Record<string, string> = {
  question: 'The whole of the question.',
  intake: 'The question is checked and given its window of the conversation.',
  screen: 'What attacks, and what asks nothing, is turned away.',
  classify: 'Its task and category are told, and the question as it would be asked on its own.',
  recall: 'An answer that was given before is looked for.',
  retrieve: 'Passages are searched for among what the asker may read.',
  assemble: 'The prompt is laid out within the model’s window.',
  route: 'The tier or model that answers is chosen.',
  generate: 'The model writes.',
  verify: 'Each sentence is held against the passages as it comes.',
  settle: 'Checks look at the answer, and it is kept where it may be given again.',
  call: 'One request to a provider.',
  attempt: 'One try of a model; another follows where it fails and may be tried again.',
  coalesce: 'Equal requests at the same moment share one call.',
  fallback: 'A model failed, and another took over.',
  hedge: 'A second request was sent, as the first one was slow.',
  queue: 'It waited for its turn.',
  breaker: 'Asked whether the model takes calls at present.',
};

/** What went into a span and what came out of it, as far as the record tells. */
export function storyOf(span: Span, trace: Trace): Story {
  const told = OWN[span.name]?.(span, trace) ?? {};
  const detail = textOf(span, 'detail');
  const outputs = told.outputs ?? [];
  return {
    about: span.service === '' ? (ABOUT[span.name] ?? '') : '',
    inputs: (told.inputs ?? []).filter((fact) => fact.text !== ''),
    outputs: [...(detail === '' ? [] : [{ label: 'In short', text: detail }]), ...outputs].filter(
      (fact) => fact.text !== '',
    ),
  };
}

/** Attributes that `storyOf` hasn't told, by name. */
export function attributesOf(span: Span): readonly (readonly [name: string, value: Scalar])[] {
  return Object.entries(span.attributes).filter(([name]) => name !== 'detail');
}

type Told = (span: Span, trace: Trace) => { readonly inputs?: readonly Fact[]; readonly outputs?: readonly Fact[] };

const passagesGiven = (trace: Trace): Fact => ({
  label: 'Passages',
  text: trace.evidence.map((each) => `${each.relevance.toFixed(2)}  ${each.passage_id}`).join('\n'),
  isLong: true,
  tab: 'passages',
});
const question = (trace: Trace): Fact => ({ label: 'Question', text: trace.question, isLong: true });
const standalone = (trace: Trace): string =>
  trace.spans.map((span) => textOf(span, 'standalone')).find((text) => text !== '') ?? trace.question;
const prompt = (trace: Trace): Fact => ({
  label: 'Prompt',
  text: trace.prompt.map((message) => `${message.role}: ${message.content}`).join('\n\n'),
  isLong: true,
  tab: 'prompt',
});
const answer = (trace: Trace): Fact => ({ label: 'Answer', text: trace.answer, isLong: true, tab: 'answer' });

const OWN: Record<string, Told> = {
  question: (_, trace) => ({ inputs: [question(trace)], outputs: [answer(trace)] }),
  intake: (span, trace) => ({
    inputs: [
      question(trace),
      { label: 'Narrowed to collections', text: textOf(span, 'collections') },
      { label: 'Filters', text: textOf(span, 'filters') },
      { label: 'Model asked for', text: textOf(span, 'model_asked') },
    ],
  }),
  screen: (_, trace) => ({ inputs: [question(trace)] }),
  classify: (span, trace) => ({
    inputs: [question(trace)],
    outputs: [
      { label: 'Task', text: textOf(span, 'task_type') },
      { label: 'Category', text: textOf(span, 'category') },
      { label: 'As asked on its own', text: textOf(span, 'standalone'), isLong: true },
    ],
  }),
  recall: (span, trace) => ({
    inputs: [{ label: 'Question on its own', text: standalone(trace), isLong: true }],
    outputs: [{ label: 'Decision', text: textOf(span, 'decision') }, ...(trace.cached ? [answer(trace)] : [])],
  }),
  retrieve: (_, trace) => ({
    inputs: [{ label: 'Question on its own', text: standalone(trace), isLong: true }],
    outputs: [passagesGiven(trace)],
  }),
  assemble: (_, trace) => ({ inputs: [question(trace), passagesGiven(trace)], outputs: [prompt(trace)] }),
  route: (span, trace) => ({
    inputs: [{ label: 'Difficulty', text: numberOf(span, 'difficulty')?.toFixed(2) ?? '' }],
    outputs: [
      { label: 'Tier', text: textOf(span, 'tier') || trace.tier },
      { label: 'Why', text: textOf(span, 'reason') },
      { label: 'Longest answer', text: withUnit(numberOf(span, 'max_tokens'), 'tokens') },
    ],
  }),
  generate: (span, trace) => ({
    inputs: [{ label: 'Model', text: textOf(span, 'model') }, prompt(trace)],
    outputs: [answer(trace)],
  }),
  verify: (_, trace) => ({
    inputs: [answer(trace), passagesGiven(trace)],
    outputs: [
      {
        label: 'Citations',
        text: trace.citations
          .map((each) => `[${each.number}] ${each.support.toFixed(2)}  ${each.passage_id}`)
          .join('\n'),
        isLong: true,
        tab: 'answer',
      },
    ],
  }),
  settle: (span, trace) => ({
    inputs: [answer(trace)],
    outputs: [
      { label: 'Checks that found a fault', text: trace.failed_checks.join(', ') || 'none', tab: 'checks' },
      { label: 'Kept for other askers', text: textOf(span, 'cache') },
    ],
  }),
};

function withUnit(value: number | null, unit: string): string {
  return value === null ? '' : `${value.toLocaleString('en-GB')} ${unit}`;
}
