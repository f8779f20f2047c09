import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Trash2 } from 'lucide-react';
import { useDeferredValue, useEffect, useState } from 'react';

import { fetched, queryKey } from '@/lib/api/client';
import type { ApiError } from '@/lib/api/error';
import { ago, count, moment, plural } from '@/lib/format';
import { Button, IconButton } from '@/ui/button';
import { Select, TextField } from '@/ui/field';
import { Empty, Loaded, Skeleton } from '@/ui/states';
import { Table, type Column } from '@/ui/table';

import styles from './cache-entries.module.css';
import { DropConfirm, type Dropping } from './cache-drop';
import { without } from './search';
import type { CacheEntry } from './types';

const PAGE = 50;

/** The answers that are held, to be found, opened and dropped. */
export function CacheEntries({ categories }: { readonly categories: readonly string[] }) {
  const { category, q } = useSearch({ from: '/gateway' });
  const navigate = useNavigate({ from: '/gateway' });
  const [dropping, setDropping] = useState<Dropping | null>(null);
  const found = useEntries(category, q);
  const rows = found.data?.pages.flat() ?? [];
  const open = (id: number) => void navigate({ search: (held) => ({ ...held, entry: id }) });
  return (
    <>
      <div className={styles.filters}>
        <Words />
        <Select
          label="Category"
          value={category ?? ''}
          onChange={({ target }) =>
            void navigate({
              search: (held) => (target.value === '' ? without(held, 'category') : { ...held, category: target.value }),
              replace: true,
            })
          }
        >
          <option value="">all</option>
          {[...new Set([...categories, ...(category === undefined ? [] : [category])])].map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </Select>
        <Button
          look="danger"
          icon={<Trash2 />}
          disabled={rows.length === 0}
          onClick={() => setDropping({ category: category ?? null })}
        >
          {category === undefined ? 'Drop all answers' : `Drop all of ${category}`}
        </Button>
      </div>
      <Loaded query={found} failed="The answers can't be shown" skeleton={<Skeleton height="20rem" />}>
        {() => (
          <>
            <Table
              label="Cached answers"
              columns={columns(open, (entry) => setDropping({ entry }))}
              rows={rows}
              rowKey={({ id }) => String(id)}
              empty={
                q === undefined && category === undefined ? (
                  <Empty title="No answer is held">Answers come here as questions are asked.</Empty>
                ) : (
                  <Empty title="No answer held is like this">Fewer words, or another category, find more.</Empty>
                )
              }
            />
            {rows.length > 0 && (
              <div className={styles.foot} aria-live="polite">
                <span>{plural(rows.length, 'answer')} shown</span>
                {found.hasNextPage && (
                  <Button small busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
                    Show more
                  </Button>
                )}
              </div>
            )}
          </>
        )}
      </Loaded>
      <DropConfirm dropping={dropping} onClose={() => setDropping(null)} />
    </>
  );
}

function useEntries(category: string | undefined, q: string | undefined) {
  const query = { limit: PAGE, ...(category === undefined ? {} : { category }), ...(q === undefined ? {} : { q }) };
  return useInfiniteQuery<
    readonly CacheEntry[],
    ApiError,
    { pages: (readonly CacheEntry[])[] },
    readonly unknown[],
    number | null
  >({
    queryKey: queryKey('/api/gateway/cache/entries', { params: { query } }),
    queryFn: ({ pageParam, signal }) =>
      fetched(
        '/api/gateway/cache/entries',
        { params: { query: pageParam === null ? query : { ...query, before: pageParam } } },
        signal,
      ),
    initialPageParam: null,
    getNextPageParam: (last) => (last.length < PAGE ? null : (last.at(-1)?.id ?? null)),
    refetchInterval: 30_000,
  });
}

/** The words looked for; they go into the address once typing pauses. */
function Words() {
  const { q = '' } = useSearch({ from: '/gateway' });
  const navigate = useNavigate({ from: '/gateway' });
  const [typed, setTyped] = useState(q);
  const settled = useDeferredValue(typed);
  useEffect(() => {
    const timer = setTimeout(() => {
      const words = settled.trim();
      void navigate({ search: (held) => (words === '' ? without(held, 'q') : { ...held, q: words }), replace: true });
    }, 250);
    return () => clearTimeout(timer);
  }, [settled, navigate]);
  return (
    <TextField
      label="Words of the question"
      type="search"
      value={typed}
      onChange={({ target }) => setTyped(target.value)}
    />
  );
}

function columns(open: (id: number) => void, drop: (entry: CacheEntry) => void): readonly Column<CacheEntry>[] {
  return [
    {
      id: 'question',
      head: 'Question',
      cell: ({ id, question }) => (
        <button type="button" className={styles.question} onClick={() => open(id)}>
          {question}
        </button>
      ),
    },
    { id: 'category', head: 'Category', secondary: true, cell: ({ category }) => category },
    { id: 'documents', head: 'Rests on', secondary: true, cell: ({ documents }) => <Documents ids={documents} /> },
    {
      id: 'age',
      head: 'Made',
      numeric: true,
      cell: ({ made_at: at }) => <span title={moment(at, { seconds: true })}>{ago(at)}</span>,
    },
    { id: 'uses', head: 'Given again', numeric: true, cell: ({ uses }) => count(uses) },
    {
      id: 'drop',
      head: <span className="unseen">Drop</span>,
      cell: (entry) => (
        <IconButton small label={`Drop the answer to “${entry.question}”`} onClick={() => drop(entry)}>
          <Trash2 />
        </IconButton>
      ),
    },
  ];
}

function Documents({ ids }: { readonly ids: readonly string[] }) {
  const [first] = ids;
  if (first === undefined) return '–';
  return (
    <span className={styles.documents} title={ids.join('\n')}>
      {first}
      {ids.length > 1 && ` and ${ids.length - 1} more`}
    </span>
  );
}
