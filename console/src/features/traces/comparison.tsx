import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';

import { Panel } from '@/ui/page';
import { Table, type Column } from '@/ui/table';

import styles from './again-tab.module.css';
import { citedBy, compared, type Compared } from './compared';
import type { Trace } from './shapes';
import { wordDiff, type Run } from './word-diff';

export interface ComparisonProps {
  readonly before: Trace;
  readonly after: Trace;
  readonly currency: string;
}

/** Two answers to one question: their words, citations and figures. */
export function Comparison({ before, after, currency }: ComparisonProps) {
  const runs = useMemo(() => wordDiff(before.answer, after.answer), [before.answer, after.answer]);
  const cited = citedBy(before, after);
  const isSame = before.answer === after.answer;
  return (
    <Panel
      title="Side by side"
      actions={
        <Link to="/traces/$traceId" params={{ traceId: after.id }}>
          Open the other trace
        </Link>
      }
    >
      <p role="status">{isSame ? 'Both answers have the same words.' : 'Words of one answer alone are marked.'}</p>
      <div className={styles.sides}>
        <Side title="First answer" runs={runs} mine="old" />
        <Side title="Asked again" runs={runs} mine="new" />
      </div>
      <Table
        label="Figures of both answers"
        columns={COLUMNS}
        rows={compared(before, after, currency)}
        rowKey={(row) => row.name}
      />
      <Cited name="Citations in both" passages={cited.kept} />
      <Cited name="Citations lost" passages={cited.lost} />
      <Cited name="Citations that are new" passages={cited.added} />
    </Panel>
  );
}

function Side({
  title,
  runs,
  mine,
}: {
  readonly title: string;
  readonly runs: readonly Run[];
  readonly mine: 'old' | 'new';
}) {
  return (
    <section className={styles.side} aria-label={title}>
      <h3>{title}</h3>
      {runs
        .filter((run) => run.kind === 'same' || run.kind === mine)
        .map((run, index) =>
          run.kind === 'old' ? (
            <del key={index}>{run.text}</del>
          ) : run.kind === 'new' ? (
            <ins key={index}>{run.text}</ins>
          ) : (
            <span key={index}>{run.text}</span>
          ),
        )}
    </section>
  );
}

function Cited({ name, passages }: { readonly name: string; readonly passages: readonly string[] }) {
  return (
    <p className={styles.told}>
      {name}: {passages.length === 0 ? 'none' : passages.join(', ')}
    </p>
  );
}

const COLUMNS: readonly Column<Compared>[] = [
  { id: 'name', head: 'Figure', cell: (row) => row.name },
  { id: 'before', head: 'First', numeric: true, cell: (row) => row.before },
  { id: 'after', head: 'Again', numeric: true, cell: (row) => row.after },
  {
    id: 'change',
    head: 'Change',
    numeric: true,
    cell: (row) =>
      row.verdict === 'neither' ? (
        row.change
      ) : (
        <span className={styles[row.verdict]}>
          {row.change}, {row.verdict}
        </span>
      ),
  },
];
