import { useCallback, useId, useMemo, useRef, useState, type ReactNode } from 'react';

import { classNames } from './class-names';
import { codePointsOf } from './prose/code-points';
import { useMounting } from './prose/mounting';
import { plainSegmentsOf } from './prose/plain';
import styles from './prose/prose.module.css';
import { useReveal, type Goal } from './prose/reveal';
import { SegmentView } from './prose/segment-view';
import { FINE_UP_TO, segmentsOf } from './prose/segments';
import { useShared } from './prose/shared';
import { Overlays, type ProseInsert, type ProseMark, type ProseOutline } from './prose/spans';

export type { ProseInsert, ProseMark, ProseOutline } from './prose/spans';

/** A place to scroll to; another object scrolls again. */
export interface Reveal {
  /** In code points. */
  readonly at: number;
  /** The mark or outline to scroll to, where there is one. */
  readonly id?: string;
  /** Whether the keyboard goes there too. */
  readonly focus?: boolean;
}

export interface ProseProps {
  /** Markdown, or plain text: untrusted, and never read as HTML. */
  readonly source: string;
  readonly markup?: 'markdown' | 'plain';
  readonly marks?: readonly ProseMark[];
  readonly inserts?: readonly ProseInsert[];
  readonly outlines?: readonly ProseOutline[];
  readonly reveal?: Reveal | null;
  /** Whether more is to come: what is open at the end is closed for now, or held back. */
  readonly isStreaming?: boolean;
  /** How many levels the headings stand below those of the source. */
  readonly headingShift?: number;
  /** A link that isn't of the web: to another document, by its address as written. Where it gives null, and without it, the
   *  link's text stands alone. Keep it the same function from one rendering to the next. */
  readonly renderLink?: (address: string, children: ReactNode) => ReactNode;
  readonly className?: string;
}

const NONE: readonly never[] = [];

/** A text for reading: Markdown or plain, with ranges marked to the letter across bold, links, tables and listings. */
export function Prose(props: ProseProps) {
  const { source, markup = 'markdown', marks = NONE, inserts = NONE, outlines = NONE, reveal = null } = props;
  const container = useRef<HTMLDivElement>(null);
  const idPrefix = `${useId().replace(/[^\w-]/g, '')}-`;
  const isPlain = markup === 'plain';
  const isLong = source.length > FINE_UP_TO;
  const points = useMemo(() => codePointsOf(source), [source]);
  const segments = useMemo(() => (isPlain ? plainSegmentsOf(source) : segmentsOf(source)), [isPlain, source]);
  const overlays = useMemo(
    () => new Overlays(source, points, { marks, inserts, outlines }),
    [source, points, marks, inserts, outlines],
  );

  const asked = useMemo<Goal | null>(
    () => (reveal ? { ...reveal, unit: points.toUnits(reveal.at) } : null),
    [reveal, points],
  );
  const [followed, setFollowed] = useState<Goal | null>(null);
  const goTo = useCallback((unit: number) => setFollowed({ unit, focus: true }), []);
  const indexOf = (goal: Goal | null) =>
    Math.max(
      0,
      segments.findLastIndex((segment) => segment.start <= (goal?.unit ?? 0)),
    );
  const mounting = useMounting(segments.length, isLong, indexOf(asked), container);
  const segmentOf = (goal: Goal | null) => {
    const index = indexOf(goal);
    return { index, isMounted: mounting.isMounted(index), require: mounting.require };
  };
  useReveal(container, asked, segmentOf(asked));
  useReveal(container, followed, segmentOf(followed));
  const shared = useShared({
    source,
    isPlain,
    headingShift: props.headingShift ?? 0,
    idPrefix,
    renderLink: props.renderLink,
    goTo,
  });

  return (
    <div ref={container} className={classNames(styles.prose, isPlain && styles.plain, props.className)} dir="auto">
      {segments.map((segment, index) => {
        const height = `${Math.ceil((segment.end - segment.start) / 45)}em`;
        if (!mounting.isMounted(index)) {
          return <div key={index} data-segment={index} style={{ height }} aria-hidden="true" />;
        }
        const isLast = index === segments.length - 1;
        const view = (
          <SegmentView
            key={index}
            prefix={segment.prefix}
            text={source.slice(segment.start, segment.end)}
            start={segment.start}
            isUnfinished={isLast && (props.isStreaming ?? false)}
            shared={shared}
            {...overlays.of(segment, isLast)}
          />
        );
        return isLong ? (
          <div
            key={index}
            className={styles.segment}
            style={{ containIntrinsicSize: `auto ${height}` }}
            data-segment={index}
          >
            {view}
          </div>
        ) : (
          view
        );
      })}
    </div>
  );
}
