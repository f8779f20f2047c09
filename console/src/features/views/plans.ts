import type { Better } from './figures';
import type { Dimension, ViewId } from './search';

/** What a chart shows, of a view's panels. */
export interface ChartPlan {
  readonly title: string;
  /** How it is read, where the title doesn't say so. */
  readonly about?: string;
  /** One figure where it is told apart; several of the same unit where not. */
  readonly metrics: readonly string[];
  readonly by?: Dimension | 'model' | 'stage' | 'check';
  readonly kind?: 'line' | 'area' | 'bar';
  readonly isStacked?: boolean;
  /** Per question of the window's step, and not per question that it was seen at: so that layers add up. */
  readonly perQuestion?: boolean;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** A row of the overview, or a view in full. */
export interface Section {
  readonly view: Exclude<ViewId, 'overview' | 'story'>;
  readonly charts: readonly ChartPlan[];
}

const ENDS: ChartPlan = {
  title: 'How questions ended',
  about: 'Shares of the questions',
  metrics: ['error_rate', 'abstention_rate', 'refusal_rate', 'degraded_rate'],
};
const ATTEMPTS: ChartPlan = {
  title: 'Retries, fallbacks, time-outs',
  about: 'Of the attempts at a dependency; they rise before errors do',
  metrics: ['retry_rate', 'fallback_rate', 'timeout_rate'],
};
const JUDGED: ChartPlan = {
  title: 'Quality as judged, 1 to 5',
  about: 'Of the answers that were judged',
  metrics: ['quality.mean', 'groundedness.mean'],
  atLeast: 1,
  atMost: 5,
};
const END_TO_END: ChartPlan = { title: 'End to end', metrics: ['ms.p50', 'ms.p95', 'ms.p99'] };
const FIRST_WORDS: ChartPlan = { title: 'Until the first words', metrics: ['ttft_ms.p50', 'ttft_ms.p95'] };
const COST_EACH: ChartPlan = {
  title: 'Cost of one',
  about: 'Of a task done, and of a question; unknown where a price is',
  metrics: ['cost_per_success', 'cost_per_question'],
};

/** The overview: of each view what tells how things stand. */
export const OVERVIEW: readonly Section[] = [
  { view: 'health', charts: [{ ...ENDS, metrics: ['error_rate', 'abstention_rate', 'refusal_rate'] }, ATTEMPTS] },
  {
    view: 'quality',
    charts: [JUDGED, { title: 'Relevance of the best passage', metrics: ['relevance.mean'] }],
  },
  { view: 'latency', charts: [END_TO_END, FIRST_WORDS] },
  { view: 'cost', charts: [COST_EACH, { title: 'Spent', metrics: ['cost'], kind: 'bar' }] },
];

/** The views in full. */
export const FULL: Readonly<Record<Section['view'], readonly ChartPlan[]>> = {
  health: [
    {
      title: 'Questions by task type',
      metrics: ['questions'],
      by: 'task_type',
      kind: 'bar',
      isStacked: true,
    },
    ENDS,
    { title: 'Errors by task type', metrics: ['error_rate'], by: 'task_type' },
    { title: 'From the cache, by category', metrics: ['cache_hit_rate'], by: 'category' },
    ATTEMPTS,
    {
      title: 'Under way at once',
      about: 'At most, of the busiest process. These can’t be narrowed',
      metrics: ['in_flight.max', 'queue_depth.max', 'breakers_open.max'],
    },
  ],
  quality: [
    JUDGED,
    { title: 'Relevance of passages', metrics: ['relevance.mean', 'least_relevance.mean'] },
    {
      title: 'Groundedness by task type',
      metrics: ['groundedness.mean'],
      by: 'task_type',
      atLeast: 1,
      atMost: 5,
    },
    { title: 'Relevance by task type', metrics: ['relevance.mean'], by: 'task_type' },
    {
      title: 'What was not answered well',
      metrics: ['abstention_rate', 'refusal_rate', 'check_failure_rate', 'unhelpful_rate'],
    },
    {
      title: 'Faults that checks found',
      metrics: ['failed_checks'],
      by: 'check',
      kind: 'bar',
      isStacked: true,
    },
    { title: 'Quality by task type', metrics: ['quality.mean'], by: 'task_type', atLeast: 1, atMost: 5 },
    {
      title: 'Other questions than in the week before',
      about: 'Population stability index: above 0.25 the questions are others',
      metrics: ['category_shift', 'topic_shift'],
      atMost: 0.25,
    },
  ],
  latency: [
    END_TO_END,
    FIRST_WORDS,
    {
      title: 'Where the time goes',
      about: 'Mean time of each stage over all questions: the layers add up to the mean',
      metrics: ['stage_ms.mean'],
      by: 'stage',
      kind: 'area',
      isStacked: true,
      perQuestion: true,
    },
    { title: 'p95 by task type', metrics: ['ms.p95'], by: 'task_type' },
    { title: 'p95 by stage', metrics: ['stage_ms.p95'], by: 'stage' },
    { title: 'Tokens a second, p50', metrics: ['tokens_per_s.p50'], by: 'model' },
    ATTEMPTS,
    { title: 'Waited in a queue, p95', metrics: ['queue_ms.p95'] },
  ],
  cost: [
    COST_EACH,
    { title: 'Cost per task done, by task type', metrics: ['cost_per_success'], by: 'task_type' },
    { title: 'Spent by stage', metrics: ['cost'], by: 'stage', kind: 'area', isStacked: true },
    { title: 'Spent by model', metrics: ['cost'], by: 'model', kind: 'bar', isStacked: true },
    {
      title: 'Tokens read, by stage',
      metrics: ['tokens_in'],
      by: 'stage',
      kind: 'area',
      isStacked: true,
    },
    {
      title: 'Tokens written, by stage',
      metrics: ['tokens_out'],
      by: 'stage',
      kind: 'area',
      isStacked: true,
    },
    { title: 'From the cache, by category', metrics: ['cache_hit_rate'], by: 'category' },
    { title: 'Tokens of a prompt', metrics: ['context_tokens.mean'] },
  ],
};

/** A figure as a tile. */
export interface TilePlan {
  readonly metric: string;
  readonly label: string;
  readonly better: Better;
}

const tile = (metric: string, label: string, better: Better = null): TilePlan => ({ metric, label, better });

/** The figures that each part of the page begins with, all of the overview. */
export const TILES: Readonly<Record<ViewId, readonly TilePlan[]>> = {
  overview: [
    tile('questions', 'Questions'),
    tile('error_rate', 'Errors', 'down'),
    tile('success_rate', 'Done', 'up'),
    tile('quality.mean', 'Quality', 'up'),
    tile('ms.p95', 'p95 end to end', 'down'),
    tile('cost_per_success', 'Cost of a task done', 'down'),
  ],
  story: [
    tile('relevance.mean', 'Relevance', 'up'),
    tile('quality.mean', 'Quality', 'up'),
    tile('cache_hit_rate', 'From the cache', 'up'),
    tile('retry_rate', 'Retries', 'down'),
    tile('ms.p95', 'p95 end to end', 'down'),
    tile('cost_per_success', 'Cost of a task done', 'down'),
  ],
  health: [
    tile('questions', 'Questions'),
    tile('error_rate', 'Errors', 'down'),
    tile('success_rate', 'Done', 'up'),
    tile('cache_hit_rate', 'From the cache', 'up'),
    tile('fallback_rate', 'Fallbacks', 'down'),
    tile('retry_rate', 'Retries', 'down'),
  ],
  quality: [
    tile('quality.mean', 'Quality', 'up'),
    tile('groundedness.mean', 'Groundedness', 'up'),
    tile('relevance.mean', 'Relevance', 'up'),
    tile('refusal_rate', 'Refused', 'down'),
    tile('check_failure_rate', 'Checks failed', 'down'),
    tile('judged_share', 'Judged'),
  ],
  latency: [
    tile('ms.p50', 'p50', 'down'),
    tile('ms.p95', 'p95', 'down'),
    tile('ms.p99', 'p99', 'down'),
    tile('ttft_ms.p95', 'First words, p95', 'down'),
    tile('retry_rate', 'Retries', 'down'),
    tile('fallback_rate', 'Fallbacks', 'down'),
  ],
  cost: [
    tile('cost', 'Spent'),
    tile('cost_per_success', 'Cost of a task done', 'down'),
    tile('cost_per_question', 'Cost of a question', 'down'),
    tile('tokens', 'Tokens'),
    tile('cache_hit_rate', 'From the cache', 'up'),
    tile('context_tokens.mean', 'Tokens of a prompt', 'down'),
  ],
};

/** A lane of the story: one figure, and which way is for the worse. */
export interface Lane {
  readonly metric: string;
  readonly title: string;
  readonly worse: 'up' | 'down';
  /** As hypotheses call it: without a suffix. */
  readonly moved: string;
}

const lane = (metric: string, title: string, worse: Lane['worse']): Lane => ({
  metric,
  title,
  worse,
  moved: metric.split('.')[0] ?? metric,
});

/** In the order in which one leads to the next. */
export const CHAINS: readonly { readonly title: string; readonly lanes: readonly Lane[] }[] = [
  {
    title: 'What is found, what becomes of it, what that takes',
    lanes: [
      lane('relevance.mean', 'Relevance', 'down'),
      lane('quality.mean', 'Quality', 'down'),
      lane('ms.p95', 'Latency, p95', 'up'),
      lane('cost_per_success', 'Cost of a task done', 'up'),
    ],
  },
  {
    title: 'What is spared, and what fails',
    lanes: [
      lane('cache_hit_rate', 'From the cache', 'down'),
      lane('retry_rate', 'Retries', 'up'),
      lane('error_rate', 'Errors', 'up'),
    ],
  },
];
