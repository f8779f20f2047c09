import type { Dimension, ViewId, WindowId } from './search';

export const VIEW_WORDS: Readonly<Record<ViewId, string>> = {
  overview: 'Overview',
  story: 'One story',
  health: 'Health',
  quality: 'Quality',
  latency: 'Latency',
  cost: 'Cost',
};

export const WINDOW_WORDS: Readonly<Record<WindowId, string>> = {
  '1h': '1 h',
  '24h': '24 h',
  '7d': '7 d',
  '30d': '30 d',
};

export const WINDOW_BEFORE: Readonly<Record<WindowId, string>> = {
  '1h': 'the hour before',
  '24h': 'the day before',
  '7d': 'the week before',
  '30d': 'the 30 days before',
};

export const DIMENSION_WORDS: Readonly<Record<Dimension, string>> = {
  task_type: 'Task type',
  category: 'Category',
  release: 'Release',
  tier: 'Tier',
};

/** Figures in words, as short as a legend wants them. */
const METRIC_WORDS: Readonly<Record<string, string>> = {
  questions: 'Questions',
  error_rate: 'Errors',
  abstention_rate: 'Abstained',
  refusal_rate: 'Refused',
  success_rate: 'Done',
  degraded_rate: 'Degraded',
  cache_hit_rate: 'Cached',
  fallback_rate: 'Fallbacks',
  retry_rate: 'Retries',
  timeout_rate: 'Time-outs',
  'in_flight.max': 'In flight',
  'queue_depth.max': 'In the queue',
  'breakers_open.max': 'Breakers open',
  cost: 'Cost',
  cost_per_success: 'Per task done',
  cost_per_question: 'Per question',
  'context_tokens.mean': 'Prompt tokens',
  tokens: 'Tokens',
  tokens_in: 'Read',
  tokens_out: 'Written',
  'quality.mean': 'Quality',
  'groundedness.mean': 'Grounded',
  'relevance.mean': 'Best passage',
  'least_relevance.mean': 'Worst passage',
  'utilisation.mean': 'Passages cited',
  check_failure_rate: 'Checks failed',
  unhelpful_rate: 'Found unhelpful',
  judged_share: 'Judged',
  known_share: 'End known',
  category_shift: 'Categories',
  topic_shift: 'Topics',
  'ms.p50': 'p50',
  'ms.p95': 'p95',
  'ms.p99': 'p99',
  'ttft_ms.p50': 'p50',
  'ttft_ms.p95': 'p95',
  'queue_ms.p95': 'p95',
  'tokens_per_s.p50': 'Tokens a second',
};

/** A figure's name for people. */
export function metricInWords(metric: string): string {
  return METRIC_WORDS[metric] ?? metric;
}

/** A value of a dimension for people. */
export function valueInWords(value: string): string {
  return value === '' ? 'none' : value.replaceAll('_', ' ');
}
