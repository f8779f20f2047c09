/** The parts of a trace's page. */
export const TRACE_TABS = ['spans', 'answer', 'passages', 'prompt', 'checks', 'again', 'raw'] as const;
export type TraceTab = (typeof TRACE_TABS)[number];

/** How far back a list goes. */
export const SINCE = ['1h', '24h', '7d', '30d'] as const;
export type Since = (typeof SINCE)[number];

/** What the address of the list may say. */
export interface TracesSearch {
  /** A filter, as docs/guides/tracing.md describes them. */
  readonly where?: string;
  readonly outcome?: string;
  readonly kind?: string;
  readonly since?: Since;
}

/** What the address of one trace may say. */
export interface TraceSearch {
  readonly tab?: TraceTab;
  /** The id of the span that is shown. */
  readonly span?: string;
  /** The trace that this one is compared with. */
  readonly with?: string;
}

/** The address of the list, with everything that it can't say left out. */
export function tracesSearch(search: Record<string, unknown>): TracesSearch {
  const { where, outcome, kind, since } = search;
  return {
    ...(isText(where) ? { where } : {}),
    ...(isText(outcome) ? { outcome } : {}),
    ...(isText(kind) ? { kind } : {}),
    ...(SINCE.some((each) => each === since) ? { since: since as Since } : {}),
  };
}

/** The address of one trace, with everything that it can't say left out. */
export function traceSearch(search: Record<string, unknown>): TraceSearch {
  const { tab, span, with: other } = search;
  // A trace or span id that happens to be digits alone comes parsed as a number where the address was typed.
  return {
    ...(TRACE_TABS.some((each) => each === tab) ? { tab: tab as TraceTab } : {}),
    ...(isId(span) ? { span: String(span) } : {}),
    ...(isId(other) ? { with: String(other) } : {}),
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isId(value: unknown): value is string | number {
  return isText(value) || typeof value === 'number';
}
