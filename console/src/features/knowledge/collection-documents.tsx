import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import type { ApiError } from '@/lib/api/error';
import { fetched, queryKey, type Got } from '@/lib/api/client';
import type { DocumentInfo } from '@/lib/api/types';
import { count, day } from '@/lib/format';
import { Badge } from '@/ui/badge';
import { Button } from '@/ui/button';
import { Panel } from '@/ui/page';
import { Empty, Loaded } from '@/ui/states';
import { Table, type Column } from '@/ui/table';

import { DocumentLink } from './document-link';
import styles from './knowledge.module.css';
import { When } from './when';

const PAGE = 100;

const COLUMNS: readonly Column<DocumentInfo>[] = [
  {
    id: 'title',
    head: 'Document',
    cell: (each) => (
      <>
        <DocumentLink id={each.id}>{each.title}</DocumentLink>
        <div className={styles.path}>{each.path}</div>
      </>
    ),
  },
  {
    id: 'state',
    head: 'State',
    cell: (each) => (each.superseded_by === null ? '' : <Badge tone="warn">superseded</Badge>),
  },
  { id: 'groups', head: 'Readable by', secondary: true, cell: (each) => each.groups.join(', ') || 'operators' },
  { id: 'owner', head: 'Owner', secondary: true, cell: (each) => each.owner ?? '–' },
  { id: 'review', head: 'Review by', secondary: true, cell: (each) => day(each.review_by) },
  { id: 'passages', head: 'Passages', numeric: true, secondary: true, cell: (each) => count(each.passages) },
  { id: 'taken', head: 'Taken', secondary: true, cell: (each) => <When at={each.synced_at} /> },
];

/** The documents of a collection that one may read, page by page. */
export function CollectionDocuments({ collection }: { readonly collection: string }) {
  const listed = useInfiniteQuery<
    Got<'/api/documents'>,
    ApiError,
    Got<'/api/documents'>[],
    readonly unknown[],
    string | null
  >({
    queryKey: queryKey('/api/documents', { params: { query: { collection, limit: PAGE } } }),
    queryFn: ({ pageParam, signal }) =>
      fetched(
        '/api/documents',
        { params: { query: { collection, limit: PAGE, ...(pageParam === null ? {} : { after: pageParam }) } } },
        signal,
      ),
    initialPageParam: null,
    getNextPageParam: (last) => last.next,
    select: ({ pages }) => pages,
  });
  return (
    <Panel
      title={collection}
      actions={
        <Link to="/knowledge" search={{}}>
          All collections
        </Link>
      }
    >
      <Loaded query={listed} failed="The documents can't be shown">
        {(pages) => {
          const rows = pages.flatMap((page) => page.documents);
          return (
            <>
              <Table
                label={`Documents of ${collection}`}
                columns={COLUMNS}
                rows={rows}
                rowKey={(each) => each.id}
                empty={
                  <Empty title={`There is no document in ${collection} that you may read`}>
                    It may be empty, or shared with groups that you aren&apos;t in.
                  </Empty>
                }
              />
              {listed.hasNextPage && (
                <Button busy={listed.isFetchingNextPage} onClick={() => void listed.fetchNextPage()}>
                  Show more
                </Button>
              )}
            </>
          );
        }}
      </Loaded>
    </Panel>
  );
}
