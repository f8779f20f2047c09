import { numberOf, textOf, type Span } from './shapes';

/** A span in the order in which it is drawn. */
export interface Row {
  readonly span: Span;
  readonly depth: number;
  /** Spans below it, at any depth. */
  readonly below: number;
  readonly isCollapsed: boolean;
  /** Of the chain of spans that the whole waited for: had one been faster, so had the whole. */
  readonly isCritical: boolean;
  /** Stretches of it, in ms from the trace's start, in which no step below it ran though it has some. */
  readonly gaps: readonly (readonly [from: number, to: number])[];
  /** Milliseconds from the trace's start. */
  readonly from: number;
  readonly to: number;
}

export interface Timeline {
  /** Every span, as a tree walk orders them. */
  readonly rows: readonly Row[];
  /** Milliseconds that the whole took. */
  readonly ms: number;
}

const LEAST_GAP_SHARE = 0.01;
const LEAST_GAP_MS = 2;
/** Clocks of one process agree to that; a child may end so much after its parent. */
const SLACK_MS = 0.05;

/** The spans of a trace as a tree, depth first; one whose parent is missing, or that is its own ancestor, stands at the top. */
export function timelineOf(spans: readonly Span[], collapsed: ReadonlySet<string>): Timeline {
  if (spans.length === 0) return { rows: [], ms: 0 };
  const began = Math.min(...spans.map((span) => span.started_at));
  const ended = Math.max(...spans.map((span) => span.ended_at));
  const ms = Math.max((ended - began) * 1000, 1e-6);
  const children = childrenOf(spans);
  const critical = criticalPath(spans, children);
  const rows: Row[] = [];
  const seen = new Set<Span>();
  const place = (at: number) => (at - began) * 1000;

  const walk = (span: Span, depth: number, isHidden: boolean): number => {
    if (seen.has(span)) return 0;
    seen.add(span);
    const index = rows.length;
    const isCollapsed = collapsed.has(span.id);
    const own = children.get(span.id) ?? [];
    if (!isHidden) {
      rows.push({
        span,
        depth,
        below: 0,
        isCollapsed,
        isCritical: critical.has(span),
        gaps: gapsOf(span, own, { least: Math.max(LEAST_GAP_MS, ms * LEAST_GAP_SHARE), place }),
        from: place(span.started_at),
        to: place(span.ended_at),
      });
    }
    const below = own.reduce((sum, child) => sum + walk(child, depth + 1, isHidden || isCollapsed), 0);
    const row = rows[index];
    if (!isHidden && row !== undefined) rows[index] = { ...row, below };
    return below + 1;
  };
  for (const top of children.get(null) ?? []) walk(top, 0, false);
  // What no walk from the top reaches goes round in a circle: other services may say so of their spans.
  for (const span of spans) walk(span, 0, false);
  return { rows, ms };
}

/** What is plainly to be seen of a span beside its bar. */
export function marksOf(
  span: Span,
): readonly { readonly words: string; readonly tone: 'fault' | 'warn' | 'neutral' }[] {
  const attempt = numberOf(span, 'number');
  return [
    ...(span.status === 'error' ? [{ words: textOf(span, 'error') || 'error', tone: 'fault' as const }] : []),
    ...(span.name === 'attempt' && attempt !== null && attempt > 1
      ? [
          {
            words: `retry ${attempt - 1}${textOf(span, 'reason') === '' ? '' : `: ${textOf(span, 'reason')}`}`,
            tone: 'warn' as const,
          },
        ]
      : []),
    ...(span.name === 'fallback'
      ? [{ words: `${textOf(span, 'failed')} failed, ${textOf(span, 'model')} took over`, tone: 'warn' as const }]
      : []),
    ...(span.name === 'hedge' ? [{ words: 'hedged', tone: 'warn' as const }] : []),
    ...((numberOf(span, 'queue_ms') ?? 0) > 0 ? [{ words: 'waited its turn', tone: 'warn' as const }] : []),
    ...(span.attributes.joined === true ? [{ words: "joined another's call", tone: 'neutral' as const }] : []),
    ...(span.attributes.estimated === true ? [{ words: 'tokens estimated', tone: 'neutral' as const }] : []),
  ];
}

function childrenOf(spans: readonly Span[]): ReadonlyMap<string | null, readonly Span[]> {
  const known = new Set(spans.map((span) => span.id));
  const children = new Map<string | null, Span[]>();
  for (const span of [...spans].sort((one, other) => one.started_at - other.started_at)) {
    const parent = span.parent_id !== null && known.has(span.parent_id) ? span.parent_id : null;
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  return children;
}

/**
 * The spans that the end of the trace waited for: from the end back, always the step that ended last before the one after it began
 * (as in a project's network, Kelley and Walker 1959).
 */
function criticalPath(
  spans: readonly Span[],
  children: ReadonlyMap<string | null, readonly Span[]>,
): ReadonlySet<Span> {
  const path = new Set<Span>();
  const roots = children.get(null) ?? spans.slice(0, 1);
  const last = [...roots].sort((one, other) => other.ended_at - one.ended_at)[0];
  const waiting = last === undefined ? [] : [last];
  for (let span = waiting.pop(); span !== undefined; span = waiting.pop()) {
    if (path.has(span)) continue;
    path.add(span);
    let until = span.ended_at + SLACK_MS / 1000;
    const own = children.get(span.id) ?? withinOf(span, children.get(span.parent_id ?? null) ?? []);
    for (const child of [...own].sort((one, other) => other.ended_at - one.ended_at)) {
      if (child.ended_at <= until) {
        waiting.push(child);
        until = child.started_at + SLACK_MS / 1000;
      }
    }
  }
  return path;
}

/** What ran beside a span that only waits (`coalesce`), within its time: the call is made in a task of its own, for all who wait. */
function withinOf(span: Span, beside: readonly Span[]): readonly Span[] {
  if (span.name !== 'coalesce') return [];
  const slack = SLACK_MS / 1000;
  return beside.filter(
    (each) => each !== span && each.started_at >= span.started_at - slack && each.ended_at <= span.ended_at + slack,
  );
}

function gapsOf(
  span: Span,
  children: readonly Span[],
  { least, place }: { readonly least: number; readonly place: (at: number) => number },
): readonly (readonly [number, number])[] {
  if (children.length === 0) return [];
  const gaps: (readonly [number, number])[] = [];
  let covered = place(span.started_at);
  for (const child of children) {
    if (place(child.started_at) - covered >= least) gaps.push([covered, place(child.started_at)]);
    covered = Math.max(covered, place(child.ended_at));
  }
  const end = place(span.ended_at);
  if (end - covered >= least) gaps.push([covered, end]);
  return gaps;
}

/** Round distances between the lines of a time axis over `ms`, some `wanted` of them. */
export function ticks(from: number, to: number, wanted = 6): readonly number[] {
  const rough = (to - from) / wanted;
  if (!(rough > 0)) return [from];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough) ?? rough;
  const found: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to + step / 1e6; at += step) found.push(at);
  return found;
}
