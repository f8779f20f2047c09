import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { apiQuery } from '@/lib/api/client';
import { plural } from '@/lib/format';
import { Loaded, Skeleton } from '@/ui/states';

import styles from './knowledge.module.css';
import { lineDiff, type DiffLine, type Hunk } from './line-diff';

export interface TextDifferenceProps {
  readonly document: string;
  readonly older: number;
  readonly newer: number;
}

/** How a document's text differs between two corpus versions. */
export function TextDifference({ document, older, newer }: TextDifferenceProps) {
  const query = { document, old: older, new: newer };
  const texts = useQuery({ ...apiQuery('/api/index/texts', { params: { query } }), staleTime: Infinity });
  return (
    <Loaded query={texts} failed="The texts can't be compared" skeleton={<Skeleton height="10rem" />}>
      {(found) =>
        found.old === null || found.new === null ? (
          <p className={styles.soft}>
            The text of version {found.old === null ? older : newer} is kept no longer, so the change can&apos;t be
            shown.
          </p>
        ) : (
          <Lines old={found.old} now={found.new} document={document} />
        )
      }
    </Loaded>
  );
}

function Lines({ old, now, document }: { readonly old: string; readonly now: string; readonly document: string }) {
  const found = useMemo(() => lineDiff(old, now), [old, now]);
  if (found === null) {
    return (
      <p className={styles.soft}>
        The two have so little in common that a comparison line by line would say nothing: the document was written
        anew.
      </p>
    );
  }
  if (found.length === 0) {
    return (
      <p className={styles.soft}>
        The text is the same in both. What changed is what Ken knows of the document (its title, dates, owner), or how
        it is cut into passages.
      </p>
    );
  }
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must take the focus (WCAG 2.1.1)
    <div className={styles.lines} role="region" aria-label={`Changes in ${document}`} tabIndex={0}>
      {found.map((hunk, index) => (
        <HunkLines key={index} hunk={hunk} />
      ))}
    </div>
  );
}

function HunkLines({ hunk }: { readonly hunk: Hunk }) {
  return (
    <>
      {hunk.skipped > 0 && <div className={styles.gap}>{plural(hunk.skipped, 'line')} alike</div>}
      {hunk.lines.map((line, index) => (
        <Line key={index} line={line} />
      ))}
    </>
  );
}

const SIGNS = { same: ' ', added: '+', removed: '−' } as const;

function Line({ line }: { readonly line: DiffLine }) {
  const { kind, text, at, to } = line;
  return (
    <div className={styles.line} data-kind={kind}>
      <span aria-hidden="true">{SIGNS[kind]}</span>
      <span>
        {kind !== 'same' && <span className="unseen">{kind}: </span>}
        {at === undefined || to === undefined || to <= at ? (
          text
        ) : (
          <>
            {text.slice(0, at)}
            <mark>{text.slice(at, to)}</mark>
            {text.slice(to)}
          </>
        )}
      </span>
    </div>
  );
}
