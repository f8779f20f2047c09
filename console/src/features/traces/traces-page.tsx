import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { ArrowUp } from 'lucide-react';
import { useCallback, useEffect, useMemo } from 'react';

import { apiQuery } from '@/lib/api/client';
import { ApiError } from '@/lib/api/error';
import { plural } from '@/lib/format';
import { useConnection } from '@/lib/live';
import { Button } from '@/ui/button';
import { Page } from '@/ui/page';
import { Empty, Fault, Skeleton } from '@/ui/states';
import { VirtualTable } from '@/ui/table';

import { Chips } from './chips';
import { columnsOf } from './list-columns';
import { listQuery, newestQuery, ofBox, unseen, whereOf } from './queries';
import type { TracesSearch } from './search';
import type { Found } from './shapes';
import styles from './traces-page.module.css';
import { keepList } from './way-back';
import { WhereBox } from './where-box';

const ROW_PX = 38;
/** How often new traces are looked for while the server can't tell of them. */
const UNTOLD_MS = 30_000;

/** The record of questions, calls and syncs: filtered, and as long as it is. */
export function TracesPage() {
  const search = useSearch({ from: '/traces' });
  const navigate = useNavigate({ from: '/traces' });
  useEffect(() => keepList(search), [search]);
  const names = useQuery({ ...apiQuery('/api/trace-names'), staleTime: 60_000 });
  const me = useQuery(apiQuery('/api/me'));
  const list = useInfiniteQuery(listQuery(search));
  const narrow = (change: { readonly [Name in keyof TracesSearch]?: TracesSearch[Name] | undefined }) =>
    void navigate({ search: (now) => strict({ ...now, ...change }) });
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.traces) ?? [], [list.data]);
  const fault = list.error instanceof ApiError && list.error.status === 400 ? ofBox(list.error.message, search) : null;
  return (
    <Page
      title="Traces"
      lead={
        me.data?.is_operator === false
          ? 'Your questions, each with what it took to answer it.'
          : 'Every question, call and sync: what it took, step by step.'
      }
    >
      <div className={styles.filters}>
        <WhereBox
          value={search.where ?? ''}
          names={names.data?.names ?? []}
          error={search.where === undefined ? null : fault}
          onApply={(where) => narrow({ where: where === '' ? undefined : where })}
        />
        <Chips search={search} onNarrow={narrow} />
      </div>
      {fault === null && (
        <List
          search={search}
          rows={rows}
          list={list}
          currency={me.data?.currency ?? 'USD'}
          isOperator={me.data?.is_operator === true}
          onOpen={(trace) => void navigate({ to: '/traces/$traceId', params: { traceId: trace.id } })}
        />
      )}
    </Page>
  );
}

interface ListProps {
  readonly search: TracesSearch;
  readonly rows: readonly Found[];
  readonly list: {
    readonly error: Error | null;
    readonly isPending: boolean;
    readonly hasNextPage: boolean;
    readonly isFetchingNextPage: boolean;
    readonly fetchNextPage: () => unknown;
    readonly refetch: () => unknown;
  };
  readonly currency: string;
  readonly isOperator: boolean;
  readonly onOpen: (trace: Found) => void;
}

function List({ search, rows, list, currency, isOperator, onOpen }: ListProps) {
  const cache = useQueryClient();
  const isTold = useConnection() === 'live';
  const newest = useQuery({
    ...newestQuery(search),
    enabled: !list.isPending,
    refetchInterval: isTold ? false : UNTOLD_MS,
  });
  const fresh = unseen(newest.data?.traces, rows);
  const columns = useMemo(() => columnsOf(currency, rows), [currency, rows]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  if (list.isPending) {
    return (
      <div role="status" aria-busy="true">
        <span className="unseen">Loading traces</span>
        <Skeleton height="60vh" />
      </div>
    );
  }
  if (list.error !== null && rows.length === 0) {
    return <Fault title="The traces can't be shown" error={list.error} onRetry={() => void list.refetch()} />;
  }
  return (
    <div className={styles.list}>
      <div className={styles.above}>
        <p role="status">
          {plural(rows.length, 'trace')}
          {hasNextPage ? ' so far, more as you scroll' : ''}
        </p>
        {fresh > 0 && (
          <Button
            small
            look="primary"
            icon={<ArrowUp />}
            onClick={() => void cache.resetQueries({ queryKey: listQuery(search).queryKey })}
          >
            {fresh >= 50 ? '50 or more new' : `${fresh} new`}
          </Button>
        )}
      </div>
      <VirtualTable
        label="Traces"
        columns={columns}
        rows={rows}
        rowKey={(trace) => trace.id}
        rowHeight={ROW_PX}
        height="max(24rem, calc(100dvh - 19rem))"
        onOpen={onOpen}
        onEnd={more}
        empty={<NoTraces isNarrowed={whereOf(search) !== ''} isOperator={isOperator} />}
        foot={
          list.error !== null ? (
            <Button small onClick={() => fetchNextPage()}>
              More could not be read: {list.error.message} Try again
            </Button>
          ) : hasNextPage ? (
            'Loading more…'
          ) : (
            'These are all.'
          )
        }
      />
    </div>
  );
}

interface NoTracesProps {
  readonly isNarrowed: boolean;
  readonly isOperator: boolean;
}

function NoTraces({ isNarrowed, isOperator }: NoTracesProps) {
  if (isNarrowed) {
    return (
      <Empty title="No trace meets this filter">
        Loosen it, or look further back: the record keeps what it has under every name.
      </Empty>
    );
  }
  if (!isOperator) {
    return (
      <Empty title="You have asked nothing yet">
        <Link to="/">Ask a question</Link>: what it took to answer it stands here a moment later.
      </Empty>
    );
  }
  return (
    <Empty title="Nothing is on record yet">
      Ask a question, sync a source or call a model: each leaves a trace here. <code>ken simulate</code> fills a week to
      look around in.
    </Empty>
  );
}

/** Without what is undefined: an address says what is narrowed, and nothing else. */
function strict(search: { readonly [Name in keyof TracesSearch]?: TracesSearch[Name] | undefined }): TracesSearch {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
}
