import { Link } from '@tanstack/react-router';

import { percent } from '@/lib/format';
import { Badge } from '@/ui/badge';
import { Meter } from '@/ui/meter';
import { Empty } from '@/ui/states';
import { Table, type Column } from '@/ui/table';

import { passagesOf, type Used } from './passages';
import type { Trace } from './shapes';

/** The passages that were found, with their scores and what became of each. */
export function PassagesTab({ trace }: { readonly trace: Trace }) {
  const found = passagesOf(trace);
  if (found.length === 0) {
    return (
      <Empty title={trace.capture === 'metrics' ? 'The passages are no longer kept' : 'No passages were looked at'}>
        {trace.cached
          ? 'The answer was given before: what it rests on is in its first trace.'
          : 'The question ended before documents were searched, or none could be read.'}
      </Empty>
    );
  }
  return <Table label="Passages" columns={COLUMNS} rows={found} rowKey={(each) => each.passageId} />;
}

const USED: Record<Used['use'], readonly [words: string, tone: 'good' | 'neutral' | 'warn', title: string]> = {
  cited: ['Cited', 'good', 'The answer cites it.'],
  given: ['Given', 'neutral', 'The model read it, and the answer does not cite it.'],
  'left out': ['Left out', 'warn', 'It was found, and the prompt had no room for it.'],
};

const COLUMNS: readonly Column<Used>[] = [
  { id: 'rank', head: '#', numeric: true, cell: (each) => each.rank },
  {
    id: 'use',
    head: 'What became of it',
    cell: (each) => {
      const [words, tone, title] = USED[each.use];
      return (
        <Badge tone={tone} title={title}>
          {words}
        </Badge>
      );
    },
  },
  {
    id: 'passage',
    head: 'Passage',
    cell: (each) => (
      <Link to="/documents/$" params={{ _splat: each.documentId }} search={each.place}>
        {each.passageId}
      </Link>
    ),
  },
  {
    id: 'relevance',
    head: 'Relevance',
    numeric: true,
    cell: (each) => (
      <>
        {percent(each.relevance, 0)}
        <Meter label="Relevance" share={each.relevance} />
      </>
    ),
  },
  {
    id: 'lexical',
    head: 'By words (BM25)',
    numeric: true,
    secondary: true,
    cell: (each) => each.lexical?.toFixed(2) ?? '–',
  },
  {
    id: 'dense',
    head: 'By meaning (cosine)',
    numeric: true,
    secondary: true,
    cell: (each) => each.dense?.toFixed(3) ?? '–',
  },
];
