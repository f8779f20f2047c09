import type { ReactNode } from 'react';

import type { CodePoints } from './code-points';
import type { Segment } from './segments';

/** A range of the source to mark, in code points. */
export interface ProseMark {
  readonly start: number;
  readonly end: number;
  /** Names the mark in the page; `reveal` finds it by this. */
  readonly id?: string;
  /** What a screen reader says before the marked words. */
  readonly label?: string;
  readonly tone?: 'quote' | 'found' | 'current';
}

/** Something put between the words at an offset, in code points; with `end`, in the place of the text up to there. */
export interface ProseInsert {
  readonly at: number;
  readonly end?: number;
  readonly node: ReactNode;
}

/** A range drawn as outlined blocks, in code points. */
export interface ProseOutline {
  readonly start: number;
  readonly end: number;
  readonly label: string;
  readonly id?: string;
  readonly isCurrent?: boolean;
}

/** A mark in UTF-16 units of a segment's parsed text (its prefix and its own). */
export interface LocalMark {
  readonly start: number;
  readonly end: number;
  readonly id: string;
  readonly label: string;
  readonly tone: NonNullable<ProseMark['tone']>;
  /** Whether the mark begins here, not in a segment before. */
  readonly isBegun: boolean;
}

/** As LocalMark. */
export interface LocalInsert {
  readonly at: number;
  readonly end: number;
  readonly node: ReactNode;
}

/** As LocalMark. */
export interface LocalOutline {
  readonly start: number;
  readonly end: number;
  readonly label: string;
  readonly id: string;
  readonly isCurrent: boolean;
  readonly isBegun: boolean;
  readonly isEnded: boolean;
  /** Neighbours are drawn in turns. */
  readonly parity: number;
}

interface Placed {
  readonly start: number;
  readonly end: number;
}

interface Located<T> extends Placed {
  readonly told: T;
  readonly index: number;
}

/** What to draw on a text, in UTF-16 units, handed out segment by segment. */
export class Overlays {
  private readonly marks: readonly Located<ProseMark>[];
  private readonly inserts: readonly Located<ProseInsert>[];
  private readonly outlines: readonly Located<ProseOutline>[];

  constructor(
    private readonly source: string,
    points: CodePoints,
    given: {
      readonly marks: readonly ProseMark[];
      readonly inserts: readonly ProseInsert[];
      readonly outlines: readonly ProseOutline[];
    },
  ) {
    const placed = <T>(told: T, start: number, end: number, index: number): Located<T> => ({
      told,
      start: points.toUnits(start),
      end: points.toUnits(end),
      index,
    });
    this.marks = given.marks
      .map((each, index) => placed(each, each.start, each.end, index))
      .filter((each) => each.end > each.start);
    this.inserts = given.inserts
      .map((each, index) => placed(each, each.at, each.end ?? each.at, index))
      .toSorted((a, b) => a.start - b.start || a.index - b.index);
    this.outlines = given.outlines
      .map((each, index) => placed(each, each.start, each.end, index))
      .map((each) => ({ ...each, start: this.firstInk(each.start, each.end) }))
      .filter((each) => each.end > each.start);
  }

  private firstInk(start: number, end: number): number {
    let at = start;
    while (at < end && /\s/.test(this.source.charAt(at))) at += 1;
    return at;
  }

  /** What falls into a segment, in units of its parsed text. */
  of(segment: Segment, isLast: boolean): { marks: LocalMark[]; inserts: LocalInsert[]; outlines: LocalOutline[] } {
    const shift = segment.prefix.length - segment.start;
    const within = <T>(each: Located<T>) => each.start < segment.end && each.end > segment.start;
    const clip = (each: Placed) => ({
      start: Math.max(each.start, segment.start) + shift,
      end: Math.min(each.end, segment.end) + shift,
    });
    return {
      marks: this.marks.filter(within).map((each) => ({
        ...clip(each),
        id: each.told.id ?? `mark-${each.index}`,
        label: each.told.label ?? '',
        tone: each.told.tone ?? 'quote',
        isBegun: each.start >= segment.start,
      })),
      inserts: this.inserts
        .filter((each) => (each.start > segment.start || segment.start === 0) && (each.start <= segment.end || isLast))
        .map((each) => ({ at: each.start + shift, end: each.end + shift, node: each.told.node })),
      outlines: this.outlines.filter(within).map((each) => ({
        ...clip(each),
        id: each.told.id ?? `outline-${each.index}`,
        label: each.told.label,
        isCurrent: each.told.isCurrent ?? false,
        isBegun: each.start >= segment.start,
        isEnded: each.end <= segment.end,
        parity: each.index % 2,
      })),
    };
  }
}

/** Whether two lists hold the same, field by field: what a memo compares. */
export function sameLists<T extends object>(one: readonly T[], other: readonly T[]): boolean {
  return one.length === other.length && one.every((each, index) => sameFields(each, other[index]));
}

function sameFields<T extends object>(one: T, other: T | undefined): boolean {
  if (other === undefined) return false;
  return (Object.keys(one) as (keyof T)[]).every((name) => Object.is(one[name], other[name]));
}
