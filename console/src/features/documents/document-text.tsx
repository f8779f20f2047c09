import { Link } from '@tanstack/react-router';
import { useCallback, useMemo, useState, type ReactNode } from 'react';

import { Checkbox } from '@/ui/field';
import { Prose, type ProseMark, type Reveal } from '@/ui/prose';
import { codePointsOf } from '@/ui/prose/code-points';
import { headingsOf } from '@/ui/prose/segments';

import { Contents } from './contents';
import styles from './document.module.css';
import { FindBar } from './find-bar';
import { findIn } from './finding';
import { linkedDocument, type OpenedDocument, type Target } from './place';

interface DocumentTextProps {
  readonly opened: OpenedDocument;
  readonly target: Target | null;
  /** Beside a conversation there is room for the text alone. */
  readonly isNarrow?: boolean;
  readonly headingShift?: number;
}

/** A document's text with the cited words marked, its passages outlined, and ways to get about in it. */
export function DocumentText({ opened, target, isNarrow = false, headingShift = 0 }: DocumentTextProps) {
  const { document: about, text, passages } = opened;
  const [isOutlined, setOutlined] = useState(false);
  const [reveal, setReveal] = useState<Reveal | null>(() =>
    target ? { at: target.start, id: 'cited', focus: !isNarrow } : null,
  );
  const points = useMemo(() => codePointsOf(text), [text]);
  const find = useFinding(text, points.toPoints, setReveal);
  const headings = useMemo(() => (about.markup === 'plain' ? [] : headingsOf(text)), [about.markup, text]);
  const marks = useMemo<readonly ProseMark[]>(
    () => [...(target ? [{ start: target.start, end: target.end, id: 'cited', label: 'Cited' }] : []), ...find.marks],
    [target, find.marks],
  );
  const outlines = useMemo(
    () =>
      isOutlined
        ? passages.map((each) => ({
            start: each.start,
            end: each.end,
            id: `p${each.ordinal}`,
            label: [`Passage ${each.ordinal}`, ...each.heading_path.slice(-1)].join(' · '),
            isCurrent: target?.passage?.ordinal === each.ordinal,
          }))
        : [],
    [isOutlined, passages, target],
  );
  const renderLink = useCallback(
    (address: string, children: ReactNode) => {
      const found = linkedDocument(about.id, about.collection, address);
      return found === null ? null : (
        <Link to="/documents/$" params={{ _splat: found.id }} hash={found.hash}>
          {children}
        </Link>
      );
    },
    [about.id, about.collection],
  );
  return (
    <div className={isNarrow ? styles.narrow : styles.beside}>
      <div className={styles.tools}>
        <FindBar {...find} />
        <Checkbox
          label={`Outline the passages (${passages.length})`}
          checked={isOutlined}
          onChange={(event) => setOutlined(event.target.checked)}
        />
      </div>
      {headings.length > 1 && (
        <Contents
          headings={headings}
          isFolded={isNarrow}
          onGo={(start) => setReveal({ at: points.toPoints(start), focus: true })}
        />
      )}
      <article className={styles.text} aria-label={about.title}>
        <Prose
          source={text}
          markup={about.markup}
          marks={marks}
          outlines={outlines}
          reveal={reveal}
          headingShift={headingShift}
          renderLink={renderLink}
        />
      </article>
    </div>
  );
}

function useFinding(text: string, toPoints: (unit: number) => number, goTo: (reveal: Reveal) => void) {
  const [query, setQuery] = useState('');
  const [current, setCurrent] = useState(0);
  const places = useMemo(
    () => findIn(text, query).map(({ start, end }) => ({ start: toPoints(start), end: toPoints(end) })),
    [text, query, toPoints],
  );
  const marks = useMemo<readonly ProseMark[]>(
    () =>
      places.map((place, index) => ({ ...place, id: `found-${index}`, tone: index === current ? 'current' : 'found' })),
    [places, current],
  );
  const go = (index: number, among: readonly { start: number }[]) => {
    setCurrent(index);
    const place = among[index];
    if (place) goTo({ at: place.start, id: `found-${index}` });
  };
  return {
    query,
    current,
    marks,
    found: places.length,
    onQuery: (asked: string) => {
      setQuery(asked);
      go(
        0,
        findIn(text, asked)
          .slice(0, 1)
          .map(({ start }) => ({ start: toPoints(start) })),
      );
    },
    onStep: (step: 1 | -1) => {
      if (places.length) go((current + step + places.length) % places.length, places);
    },
  };
}
