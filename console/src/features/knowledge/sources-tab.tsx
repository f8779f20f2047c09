import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { FolderSync, RefreshCw, Trash2 } from 'lucide-react';
import { useState } from 'react';

import { api, unwrap } from '@/lib/api/client';
import type { ApiError } from '@/lib/api/error';
import { plural } from '@/lib/format';
import { Badge } from '@/ui/badge';
import { Button } from '@/ui/button';
import { classNames } from '@/ui/class-names';
import { Confirm } from '@/ui/dialog';
import { Facts } from '@/ui/page';
import { Empty, Loaded, Skeleton } from '@/ui/states';
import { toast } from '@/ui/toast';

import { Command } from './command';
import styles from './knowledge.module.css';
import { UPLOADS, useSources, useSyncs, type Source, type Sync } from './queries';
import type { ListingState } from './search';
import { SourceDocuments } from './source-documents';
import { sourceName, syncCommand } from './source-name';
import { SyncProgress } from './sync-progress';
import { When } from './when';

export interface SourcesTabProps {
  readonly source: string | undefined;
  readonly state: ListingState | undefined;
}

/** The sources, or the documents of one with their states. */
export function SourcesTab({ source, state }: SourcesTabProps) {
  return source === undefined ? <Sources /> : <SourceDocuments source={source} state={state} />;
}

function Sources() {
  const sources = useSources();
  const syncs = useSyncs();
  return (
    <Loaded query={sources} failed="The sources can't be shown" skeleton={<Skeleton height="14rem" />}>
      {(known) =>
        known.length === 0 ? (
          <Empty
            title="Ken knows no place where documents live"
            icon={<FolderSync />}
            action={
              <Link to="/knowledge" search={{ tab: 'upload' }}>
                Add documents here
              </Link>
            }
          >
            Name folders, wikis and drives under <code>[[sources]]</code> in <code>ken.toml</code>, or bring in a folder
            once:
            <Command text="ken sync FOLDER --collection NAME" />
          </Empty>
        ) : (
          <ul className={classNames(styles.cards, styles.wide)}>
            {[...known].sort(worstFirst).map((each) => (
              <li key={each.id}>
                <SourceCard
                  source={each}
                  running={syncs.data?.find((sync) => sync.source === each.id && sync.state === 'running')}
                />
              </li>
            ))}
          </ul>
        )
      }
    </Loaded>
  );
}

/** What needs somebody stands first. */
function worstFirst(one: Source, other: Source): number {
  return Number(other.problem !== '') - Number(one.problem !== '') || one.id.localeCompare(other.id);
}

function SourceCard({ source, running }: { readonly source: Source; readonly running: Sync | undefined }) {
  const queryClient = useQueryClient();
  const [asksRemoval, setAsksRemoval] = useState(false);
  const sync = useMutation<unknown, ApiError>({
    mutationFn: () => unwrap(api.POST('/api/syncs', { body: { source: source.id } })),
    onSuccess: () => {
      toast(`${source.id} is being synced.`);
      void queryClient.invalidateQueries({ queryKey: ['/api/syncs'] });
      void queryClient.invalidateQueries({ queryKey: ['/api/sources'] });
    },
  });
  const command = syncCommand(source);
  const isRunning = source.is_running || running !== undefined;
  return (
    <article className={styles.card} aria-label={source.id}>
      <div className={`${styles.row} ${styles.spread}`}>
        <h2 title={source.id}>{sourceName(source.id)}</h2>
        <State source={source} isRunning={isRunning} />
      </div>
      {running !== undefined && <SyncProgress sync={running} />}
      {source.problem !== '' && <Problem source={source} />}
      <Facts
        facts={[
          ['Kind', source.kind === UPLOADS ? 'documents that were sent here' : source.kind],
          ['Where', source.location === '' ? null : <span className={styles.path}>{source.location}</span>],
          [
            'Collection',
            <Link key="in" to="/knowledge" search={{ collection: source.collection }}>
              {source.collection}
            </Link>,
          ],
          ['Documents', plural(source.documents, 'document')],
          [
            'Not taken',
            source.not_taken === 0 ? null : (
              <Link key="not" to="/knowledge" search={{ tab: 'sources', source: source.id }}>
                {plural(source.not_taken, 'document')}
              </Link>
            ),
          ],
          ['Last synced', <When key="last" at={source.synced_at} />],
          ['Schedule', source.kind === UPLOADS ? null : scheduleOf(source)],
          ['Next', source.next_sync === null ? null : <When key="next" at={source.next_sync} />],
        ]}
      />
      {command !== null && (
        <div>
          <p className={styles.soft}>
            ken.toml doesn’t name it, so it is synced from the terminal where the folder is:
          </p>
          <Command text={command} />
        </div>
      )}
      {sync.error !== null && (
        <p role="alert" className={styles.wrong}>
          {sync.error.message}
        </p>
      )}
      <div className={styles.actions}>
        {source.is_named && (
          <Button small icon={<RefreshCw />} busy={sync.isPending} disabled={isRunning} onClick={() => sync.mutate()}>
            Sync now
          </Button>
        )}
        {(source.synced_at !== null || source.documents > 0 || source.problem !== '') && (
          <>
            <Button small look="quiet" icon={<Trash2 />} onClick={() => setAsksRemoval(true)}>
              Remove…
            </Button>
            <Link to="/knowledge" search={{ tab: 'sources', source: source.id }}>
              Documents and their states
            </Link>
            <Link to="/knowledge" search={{ tab: 'syncs', source: source.id }}>
              Syncs
            </Link>
          </>
        )}
      </div>
      <RemoveDialog source={source} open={asksRemoval} onClose={() => setAsksRemoval(false)} />
    </article>
  );
}

function scheduleOf(source: Source): string {
  return source.schedule || (source.is_named ? 'when somebody asks for it' : 'none: ken.toml doesn’t name it');
}

function State({ source, isRunning }: { readonly source: Source; readonly isRunning: boolean }) {
  if (isRunning) return <Badge tone="accent">syncing</Badge>;
  if (source.problem !== '') return <Badge tone="fault">failing</Badge>;
  if (source.synced_at === null) return <Badge>never synced</Badge>;
  if (source.not_taken > 0) return <Badge tone="warn">{source.not_taken} not taken</Badge>;
  return <Badge tone="good">in order</Badge>;
}

/** Why the last sync did not end well, and what to try. */
function Problem({ source }: { readonly source: Source }) {
  return (
    <div className={styles.problem}>
      <p>{source.problem}</p>
      <p className={styles.soft}>
        Since <When at={source.problem_since} />
        {source.attempts > 1 ? `, ${source.attempts} syncs in a row` : ''}
        {source.next_try === null ? '' : ', tried again '}
        {source.next_try !== null && <When at={source.next_try} />}.{' '}
        {source.is_named
          ? 'Put right what it says, then sync it now.'
          : 'Put right what it says, then sync it again from the terminal.'}
        {source.documents > 0 && ' Until then answers come from the documents that were taken before.'}
      </p>
    </div>
  );
}

function RemoveDialog({
  source,
  open,
  onClose,
}: {
  readonly source: Source;
  readonly open: boolean;
  readonly onClose: () => void;
}) {
  const queryClient = useQueryClient();
  const remove = useMutation<unknown, ApiError>({
    mutationFn: () => unwrap(api.DELETE('/api/sources/{source_id}', { params: { path: { source_id: source.id } } })),
    onSuccess: () => {
      toast(`${sourceName(source.id)} is removed.`);
      void queryClient.invalidateQueries();
      onClose();
    },
  });
  return (
    <Confirm
      open={open}
      title={`Remove ${sourceName(source.id)}?`}
      verb="Remove for ever"
      busy={remove.isPending}
      error={remove.error?.message ?? null}
      onConfirm={() => remove.mutate()}
      onClose={() => {
        remove.reset();
        onClose();
      }}
    >
      <p>
        {plural(source.documents, 'document')} of the collection {source.collection}{' '}
        {source.documents === 1 ? 'goes' : 'go'} for ever: from the index, from every snapshot, with the cached answers
        that quote {source.documents === 1 ? 'it' : 'them'}. The history of its syncs goes, too.
      </p>
      <p>
        {source.kind === UPLOADS
          ? 'Ken keeps the only copy of what was sent here: have the files elsewhere before you remove it.'
          : 'Nothing is touched where the documents live.'}
        {source.is_named && ' ken.toml names it: with its next sync it comes back, unless you take it out there.'}
      </p>
    </Confirm>
  );
}
