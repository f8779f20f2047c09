import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, getRouteApi } from '@tanstack/react-router';
import { Trash2 } from 'lucide-react';
import { useState } from 'react';

import { api, fetched, queryKey, unwrap, type Got } from '@/lib/api/client';
import type { ApiError } from '@/lib/api/error';
import { count } from '@/lib/format';
import { Badge, type Tone } from '@/ui/badge';
import { Button, IconButton } from '@/ui/button';
import { Confirm } from '@/ui/dialog';
import { Select } from '@/ui/field';
import { Panel } from '@/ui/page';
import { Empty, Loaded } from '@/ui/states';
import { Table, type Column } from '@/ui/table';
import { toast } from '@/ui/toast';
import { useNow } from '@/ui/use-now';

import { DocumentLink } from './document-link';
import styles from './knowledge.module.css';
import { UPLOADS, useSources, type Listing } from './queries';
import { STATES, type ListingState } from './search';
import { sourceName } from './source-name';
import { When } from './when';

type ListingPage = Got<'/api/sources/{source_id}/documents'>;

const PAGE = 100;
const route = getRouteApi('/knowledge');

const MEANINGS: Readonly<Record<ListingState, string>> = {
  failed: "can't be read",
  waiting: 'could not be had, tried again later',
  held: 'gone from the source, kept as too much went at once',
  skipped: 'in no format that Ken reads',
  current: 'taken',
};
const TONES: Readonly<Record<ListingState, Tone>> = {
  failed: 'fault',
  waiting: 'warn',
  held: 'warn',
  skipped: 'neutral',
  current: 'good',
};

export interface SourceDocumentsProps {
  readonly source: string;
  /** Without it: the worst state that there is. */
  readonly state: ListingState | undefined;
}

/** The state of each document that a source lists, and the reason; what went wrong stands first. */
export function SourceDocuments({ source, state }: SourceDocumentsProps) {
  const navigate = route.useNavigate();
  const known = useSources().data?.find((each) => each.id === source);
  const counts = useListings(source, undefined, 1).data?.[0]?.counts;
  const worst = STATES.find((each) => (counts?.[each] ?? 0) > 0);
  const shown = state ?? worst;
  return (
    <Panel
      title={<span title={source}>{sourceName(source)}</span>}
      actions={
        <Link to="/knowledge" search={{ tab: 'sources' }}>
          All sources
        </Link>
      }
    >
      <div className={styles.pick}>
        <Select
          label="State"
          value={shown ?? 'current'}
          onChange={(event) => {
            const wanted = STATES.find((each) => each === event.target.value);
            void navigate({ search: { tab: 'sources', source, ...(wanted === undefined ? {} : { state: wanted }) } });
          }}
        >
          {STATES.map((each) => (
            <option key={each} value={each}>
              {each} ({count(counts?.[each] ?? 0)}): {MEANINGS[each]}
            </option>
          ))}
        </Select>
      </div>
      <Listings
        source={source}
        state={shown}
        collection={known?.kind === UPLOADS ? known.collection : null}
        home={known?.collection}
      />
    </Panel>
  );
}

interface ListingsProps {
  readonly source: string;
  readonly state: ListingState | undefined;
  /** Of documents that were sent here, and can be deleted here. */
  readonly collection: string | null;
  readonly home: string | undefined;
}

function Listings({ source, state, collection, home }: ListingsProps) {
  const listed = useListings(source, state, PAGE);
  const [leaving, setLeaving] = useState<string | null>(null);
  return (
    <Loaded query={listed} failed="The documents of this source can't be shown">
      {(pages) => (
        <>
          <Table
            label={`Documents of ${source}`}
            columns={columns(home, collection === null ? null : setLeaving)}
            rows={pages.flatMap((page) => page.documents)}
            rowKey={(each) => each.path}
            empty={
              <Empty title={state === undefined ? 'This source has listed nothing yet' : `No document is ${state}`}>
                {state === undefined
                  ? 'Sync it to see what it holds.'
                  : `None of this source ${state === 'current' ? 'was taken' : `is one that is ${MEANINGS[state]}`}.`}
              </Empty>
            }
          />
          {listed.hasNextPage && (
            <Button busy={listed.isFetchingNextPage} onClick={() => void listed.fetchNextPage()}>
              Show more
            </Button>
          )}
          {collection !== null && (
            <DeleteDialog id={leaving === null ? null : `${collection}/${leaving}`} onClose={() => setLeaving(null)} />
          )}
        </>
      )}
    </Loaded>
  );
}

function columns(home: string | undefined, onDelete: ((path: string) => void) | null): readonly Column<Listing>[] {
  const all: readonly Column<Listing>[] = [
    {
      id: 'path',
      head: 'Document',
      cell: (each) =>
        each.state === 'current' && home !== undefined ? (
          <DocumentLink id={`${home}/${each.path}`}>
            <span className={styles.path}>{each.path}</span>
          </DocumentLink>
        ) : (
          <span className={styles.path}>{each.path}</span>
        ),
    },
    {
      id: 'state',
      head: 'State',
      cell: (each) => <Badge tone={TONES[each.state]}>{each.state}</Badge>,
    },
    {
      id: 'reason',
      head: 'Why',
      cell: (each) => each.reason || MEANINGS[each.state],
    },
    { id: 'since', head: 'Since', secondary: true, cell: (each) => <When at={each.since} /> },
    { id: 'attempts', head: 'Tries', numeric: true, secondary: true, cell: (each) => count(each.attempts) },
    { id: 'next', head: 'Next try', secondary: true, cell: (each) => <NextTry at={each.next_try} /> },
  ];
  if (onDelete === null) return all;
  const action: Column<Listing> = {
    id: 'delete',
    head: 'Delete',
    cell: (each) => (
      <IconButton small label={`Delete ${each.path}`} onClick={() => onDelete(each.path)}>
        <Trash2 />
      </IconButton>
    ),
  };
  return [...all, action];
}

function NextTry({ at }: { readonly at: number | null }) {
  const now = useNow(15_000);
  return at !== null && at <= now ? 'with the next sync' : <When at={at} />;
}

export interface DeleteDialogProps {
  /** The document; null while nothing is asked. */
  readonly id: string | null;
  readonly onClose: () => void;
  readonly onDeleted?: (id: string) => void;
}

/** Asks before a document that was sent here is deleted. */
export function DeleteDialog({ id, onClose, onDeleted }: DeleteDialogProps) {
  const queryClient = useQueryClient();
  const remove = useMutation<unknown, ApiError, string>({
    mutationFn: (document) =>
      unwrap(api.DELETE('/api/documents/{document_id}', { params: { path: { document_id: document } } })),
    onSuccess: (_, document) => {
      toast(`${document} is deleted.`);
      void queryClient.invalidateQueries();
      onDeleted?.(document);
      onClose();
    },
  });
  return (
    <Confirm
      open={id !== null}
      title="Delete this document?"
      verb="Delete for ever"
      busy={remove.isPending}
      error={remove.error?.message ?? null}
      onConfirm={() => {
        if (id !== null) remove.mutate(id);
      }}
      onClose={() => {
        remove.reset();
        onClose();
      }}
    >
      <p>
        <strong className={styles.path}>{id}</strong> goes for ever, with every version in every snapshot and the cached
        answers that quote it. Ken keeps the only copy of what was sent here.
      </p>
    </Confirm>
  );
}

function useListings(source: string, state: ListingState | undefined, limit: number) {
  const asked = { limit, ...(state === undefined ? {} : { state }) };
  const path = { source_id: source };
  return useInfiniteQuery<ListingPage, ApiError, ListingPage[], readonly unknown[], string | null>({
    queryKey: queryKey('/api/sources/{source_id}/documents', { params: { path, query: asked } }),
    queryFn: ({ pageParam, signal }) =>
      fetched(
        '/api/sources/{source_id}/documents',
        { params: { path, query: { ...asked, ...(pageParam === null ? {} : { after: pageParam }) } } },
        signal,
      ),
    initialPageParam: null,
    getNextPageParam: (last) => last.next,
    select: ({ pages }) => pages,
  });
}
