import { useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { History } from 'lucide-react';
import { useState } from 'react';

import { count, moment, plural } from '@/lib/format';
import { Badge } from '@/ui/badge';
import { Button } from '@/ui/button';
import { Select } from '@/ui/field';
import { Panel } from '@/ui/page';
import { Empty, Loaded } from '@/ui/states';
import { Table, type Column } from '@/ui/table';

import { Command } from './command';
import { Difference } from './difference';
import styles from './knowledge.module.css';
import { served, useSnapshots, type Snapshot } from './queries';
import { sourceName } from './source-name';
import { UseDialog } from './use-dialog';
import { When } from './when';

const route = getRouteApi('/knowledge');

export interface SnapshotsTabProps {
  readonly older: number | undefined;
  readonly newer: number | undefined;
  readonly document: string | undefined;
}

/** The corpus versions that can be used: which is served, how any two differ, the way back. */
export function SnapshotsTab({ older, newer, document }: SnapshotsTabProps) {
  const snapshots = useSnapshots();
  return (
    <Loaded query={snapshots} failed="The snapshots can't be shown">
      {(all) =>
        all.length === 0 ? (
          <Empty title="There is no snapshot yet" icon={<History />}>
            Each sync that changes something makes one. Bring in a folder:
            <Command text="ken sync FOLDER --collection NAME" />
          </Empty>
        ) : (
          <div className={styles.stack}>
            <Versions snapshots={all} />
            <Compared snapshots={all} older={older} newer={newer} document={document} />
          </div>
        )
      }
    </Loaded>
  );
}

function Versions({ snapshots }: { readonly snapshots: readonly Snapshot[] }) {
  const queryClient = useQueryClient();
  const [wanted, setWanted] = useState<Snapshot | 'newest' | null>(null);
  const { inUse, isOld } = served(snapshots);
  const newest = Math.max(...snapshots.map((each) => each.content));
  const columns: readonly Column<Snapshot>[] = [
    {
      id: 'version',
      head: 'Version',
      cell: (each) => (
        <>
          {each.corpus_version}
          {each.content !== each.corpus_version && <div className={styles.soft}>version {each.content} again</div>}
        </>
      ),
    },
    {
      id: 'state',
      head: 'State',
      cell: (each) => (
        <div className={styles.row}>
          {each.is_in_use && <Badge tone={isOld ? 'warn' : 'good'}>{isOld ? 'served, an older one' : 'served'}</Badge>}
          {each.content === newest && each.content === each.corpus_version && isOld && <Badge>held back</Badge>}
          {each.content !== inUse?.content && (
            <Button small onClick={() => setWanted(each.content === newest ? 'newest' : each)}>
              {each.content === newest ? 'Serve the newest…' : `Go back to version ${each.content}…`}
            </Button>
          )}
        </div>
      ),
    },
    { id: 'made', head: 'Made', cell: (each) => <When at={each.made_at} /> },
    {
      id: 'by',
      head: 'By',
      secondary: true,
      cell: (each) =>
        each.source ? <span title={each.source}>{sourceName(each.source)}</span> : 'a switch to other documents',
    },
    { id: 'documents', head: 'Documents', numeric: true, secondary: true, cell: (each) => count(each.documents) },
    {
      id: 'changes',
      head: 'Changes',
      secondary: true,
      cell: (each) =>
        [
          each.added > 0 && `${count(each.added)} added`,
          each.changed > 0 && `${count(each.changed)} changed`,
          each.deleted > 0 && `${count(each.deleted)} deleted`,
        ]
          .filter(Boolean)
          .join(', ') || '–',
    },
  ];
  return (
    <Panel title="Versions of the corpus">
      <Table
        label="Corpus versions"
        columns={columns}
        rows={snapshots}
        rowKey={(each) => String(each.corpus_version)}
      />
      <UseDialog wanted={wanted} onClose={() => setWanted(null)} onDone={() => void queryClient.invalidateQueries()} />
    </Panel>
  );
}

function Compared({
  snapshots,
  older,
  newer,
  document,
}: SnapshotsTabProps & { readonly snapshots: readonly Snapshot[] }) {
  const navigate = route.useNavigate();
  const [last, before] = snapshots;
  if (snapshots.length < 2) {
    return (
      <Panel title="Compare two versions">
        <p className={styles.soft}>
          There is only one version yet. The next sync that changes something makes another.
        </p>
      </Panel>
    );
  }
  const from = older ?? before?.corpus_version ?? 0;
  const to = newer ?? last?.corpus_version ?? 0;
  const pick = (change: { old?: number; new?: number }) =>
    void navigate({ search: { tab: 'snapshots', old: from, new: to, ...change } });
  const options = snapshots.map((each) => (
    <option key={each.corpus_version} value={each.corpus_version}>
      {each.corpus_version}
      {each.is_in_use ? ', served' : ''}: {moment(each.made_at)}, {plural(each.documents, 'document')}
    </option>
  ));
  return (
    <Panel title="Compare two versions">
      <div className={styles.pick}>
        <Select label="From version" value={from} onChange={(event) => pick({ old: Number(event.target.value) })}>
          {options}
        </Select>
        <Select label="To version" value={to} onChange={(event) => pick({ new: Number(event.target.value) })}>
          {options}
        </Select>
      </div>
      <p className={styles.soft}>
        What was deleted is gone from every version, so it stands in none of these lists; who may read a document is the
        same in all of them.
      </p>
      <Difference older={from} newer={to} document={document} />
    </Panel>
  );
}
