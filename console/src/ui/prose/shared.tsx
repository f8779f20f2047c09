import { useMemo, type ReactNode } from 'react';

import type { Shared } from './segment-view';
import { footnotesOf, headingsOf } from './segments';
import { slugsOf } from './slugs';

interface SharedInputs {
  readonly source: string;
  readonly isPlain: boolean;
  readonly headingShift: number;
  readonly idPrefix: string;
  readonly renderLink: ((address: string, children: ReactNode) => ReactNode) | undefined;
  /** Goes to a place of the source, in UTF-16 units; stays the same function. */
  readonly goTo: (unit: number) => void;
}

/** What all segments share. It stays the same object while a text only grows by words: what is drawn isn't drawn again. */
export function useShared({ source, isPlain, headingShift, idPrefix, renderLink, goTo }: SharedInputs): Shared {
  const notes = useMemo(() => (isPlain ? '' : footnotesOf(source).join('\n')), [isPlain, source]);
  const headings = useMemo(
    () =>
      isPlain
        ? ''
        : slugsOf(headingsOf(source))
            .map(({ slug, start }) => `${start} ${slug}`)
            .join('\n'),
    [isPlain, source],
  );
  return useMemo(() => {
    const numbers = new Map(linesOf(notes).map((label, index) => [label, index + 1]));
    const places = new Map(
      linesOf(headings).map((line) => [line.slice(line.indexOf(' ') + 1), Number.parseInt(line, 10)]),
    );
    const ids = new Map([...places].map(([slug, start]) => [start, `${idPrefix}${slug}`]));
    return {
      isPlain,
      headingShift,
      idPrefix,
      numberOf: (label) => numbers.get(label.toLowerCase()) ?? 0,
      headingId: (start) => ids.get(start),
      renderLink: (address, children) => {
        if (address.startsWith(`#${idPrefix}`)) return <a href={address}>{children}</a>;
        const start = address.startsWith('#') ? places.get(slugIn(address)) : undefined;
        if (start === undefined) return renderLink?.(address, children) ?? null;
        const go = (event: { preventDefault: () => void }) => {
          event.preventDefault();
          goTo(start);
        };
        return (
          <a href={`#${ids.get(start) ?? ''}`} onClick={go}>
            {children}
          </a>
        );
      },
    };
  }, [isPlain, headingShift, idPrefix, notes, headings, renderLink, goTo]);
}

function linesOf(text: string): string[] {
  return text ? text.split('\n') : [];
}

function slugIn(address: string): string {
  try {
    return decodeURIComponent(address.slice(1)).toLowerCase();
  } catch {
    return address.slice(1).toLowerCase();
  }
}
