import { Link } from '@tanstack/react-router';
import { RefreshCw } from 'lucide-react';

import { count, duration } from '@/lib/format';
import { Badge, type Tone } from '@/ui/badge';
import { Panel } from '@/ui/page';
import { Empty, Loaded } from '@/ui/states';
import { Table, type Column } from '@/ui/table';

import { Command } from './command';
import styles from './knowledge.module.css';
import { did } from './progress';
import { useSyncs, type Sync } from './queries';
import { sourceName } from './source-name';
import { SyncProgress } from './sync-progress';
import { When } from './when';

const TONES: Readonly<Record<Sync['state'], Tone>> = {
  running: 'accent',
  finished: 'good',
  failed: 'fault',
  interrupted: 'warn',
};

const COLUMNS: readonly Column<Sync>[] = [
  {
    id: 'source',
    head: 'Source',
    cell: (each) => (
      <Link to="/knowledge" search={{ tab: 'sources', source: each.source }}>
        <span title={each.source}>{sourceName(each.source)}</span>
      </Link>
    ),
  },
  { id: 'state', head: 'Result', cell: (each) => <Badge tone={TONES[each.state]}>{each.state}</Badge> },
  {
    id: 'did',
    head: 'What it did',
    cell: (each) => (
      <>
        {did(each).join(', ') || (each.state === 'finished' ? 'nothing was there to do' : '')}
        {each.reason !== '' && <div className={styles.wrong}>{each.reason}</div>}
      </>
    ),
  },
  { id: 'began', head: 'Began', secondary: true, cell: (each) => <When at={each.started_at} /> },
  {
    id: 'took',
    head: 'Took',
    numeric: true,
    secondary: true,
    cell: (each) => duration(((each.ended_at ?? each.seen_at) - each.started_at) * 1000),
  },
  { id: 'passages', head: 'Passages', numeric: true, secondary: true, cell: (each) => count(each.passages) },
  {
    id: 'version',
    head: 'Corpus version',
    numeric: true,
    secondary: true,
    cell: (each) => each.corpus_version ?? '–',
  },
];

/** The syncs that run now, as they go on, and those before. */
export function SyncsTab({ source }: { readonly source: string | undefined }) {
  const syncs = useSyncs(source);
  return (
    <Loaded query={syncs} failed="The syncs can't be shown">
      {(all) => {
        const running = all.filter(({ state }) => state === 'running');
        const past = all.filter(({ state }) => state !== 'running');
        return (
          <div className={styles.stack}>
            {running.length > 0 && (
              <Panel title="Running now">
                {running.map((each) => (
                  <div key={each.id} className={styles.stack}>
                    <h3 title={each.source}>{sourceName(each.source)}</h3>
                    <SyncProgress sync={each} />
                  </div>
                ))}
              </Panel>
            )}
            <Panel
              title={source === undefined ? 'The last syncs' : `The last syncs of ${sourceName(source)}`}
              actions={
                source !== undefined && (
                  <Link to="/knowledge" search={{ tab: 'syncs' }}>
                    Of all sources
                  </Link>
                )
              }
            >
              <Table
                label="Syncs"
                columns={COLUMNS}
                rows={past}
                rowKey={(each) => String(each.id)}
                empty={
                  <Empty
                    title="Nothing was synced yet"
                    icon={<RefreshCw />}
                    action={
                      <Link to="/knowledge" search={{ tab: 'sources' }}>
                        See the sources
                      </Link>
                    }
                  >
                    Bring in a folder from the terminal:
                    <Command text="ken sync FOLDER --collection NAME" />
                  </Empty>
                }
              />
            </Panel>
          </div>
        );
      }}
    </Loaded>
  );
}
