import type { Shape } from '@/lib/api/types';

export type Trace = Shape<'TraceShape'>;
/** A trace as it stands in the list. */
export type Found = Shape<'FoundTrace'>;
export type Span = Trace['spans'][number];
export type TracedPassage = Shape<'TracedPassageShape'>;
export type TraceName = Shape<'TraceName'>;
export type Release = Shape<'ReleaseShape'>;
export type Scalar = string | number | boolean | null;

/** Kinds of traces in which nobody asked and nothing was answered. */
export const UNASKED: ReadonlySet<string> = new Set(['sync', 'external']);

/** A span's attribute as a number; null where it is none. */
export function numberOf(span: Span, name: string): number | null {
  const value = span.attributes[name];
  return typeof value === 'number' ? value : null;
}

/** A span's attribute as text; empty where it is none. */
export function textOf(span: Span, name: string): string {
  const value = span.attributes[name];
  return typeof value === 'string' ? value : '';
}
