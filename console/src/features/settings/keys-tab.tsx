import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';

import { api, apiQuery, unwrap } from '@/lib/api/client';
import { ago, moment } from '@/lib/format';
import { Badge } from '@/ui/badge';
import { Button } from '@/ui/button';
import { Confirm } from '@/ui/dialog';
import { Checkbox } from '@/ui/field';
import { Moment } from '@/ui/moment';
import { Panel } from '@/ui/page';
import { Empty, Loaded } from '@/ui/states';
import { Table, type Column } from '@/ui/table';
import { toast } from '@/ui/toast';

import { NewKey } from './new-key';
import type { SettingsSearch } from './search';
import styles from './settings.module.css';
import type { Key } from './types';

export interface KeysTabProps {
  readonly search: SettingsSearch;
  readonly onSearch: (search: SettingsSearch) => void;
}

/** Who may call from elsewhere: keys are made, listed and revoked here. */
export function KeysTab({ search, onSearch }: KeysTabProps) {
  const keys = useQuery(apiQuery('/api/keys'));
  const [isNew, setIsNew] = useState(false);
  const [going, setGoing] = useState<Key | null>(null);
  const revoked = keys.data?.filter((key) => key.revoked_at !== null).length ?? 0;
  const button = (
    <Button look="primary" icon={<Plus />} onClick={() => setIsNew(true)}>
      New key
    </Button>
  );
  return (
    <Panel title="Keys" actions={button}>
      <p className={styles.soft}>
        A person or a program that calls from elsewhere shows a key. Each answers for its own questions, and reads what
        its groups may. Who calls from this machine needs none.
      </p>
      {revoked > 0 && (
        <Checkbox
          label={`Show the ${revoked} that ${revoked === 1 ? 'was' : 'were'} revoked`}
          checked={search.revoked === true}
          onChange={(event) => onSearch(event.target.checked ? { revoked: true } : {})}
        />
      )}
      <Loaded query={keys} failed="The keys can't be shown">
        {(all) => (
          <Table
            label="Keys"
            columns={columns(setGoing)}
            rows={all.filter((key) => search.revoked === true || key.revoked_at === null)}
            rowKey={(key) => key.id}
            empty={
              <Empty title="No keys are in force" icon={<KeyRound />}>
                Make one for each person or program that is to call this Ken from elsewhere.
              </Empty>
            }
          />
        )}
      </Loaded>
      <NewKey open={isNew} onClose={() => setIsNew(false)} />
      <Revoke key={going?.id} of={going} onClose={() => setGoing(null)} />
    </Panel>
  );
}

function columns(revoke: (key: Key) => void): readonly Column<Key>[] {
  return [
    {
      id: 'name',
      head: 'Name',
      cell: (key) => (
        <span className={styles.words}>
          {key.name}
          {key.is_yours && <Badge tone="accent">yours</Badge>}
          {key.revoked_at !== null && (
            <Badge tone="fault" title={moment(key.revoked_at)}>
              revoked {ago(key.revoked_at)}
            </Badge>
          )}
        </span>
      ),
    },
    {
      id: 'groups',
      head: 'Groups',
      cell: (key) => (
        <span className={styles.words}>
          {key.groups.map((group) => (
            <Badge key={group} tone={group === 'operators' ? 'warn' : 'neutral'}>
              {group}
            </Badge>
          ))}
          {key.groups.length === 0 && <span className={styles.soft}>what everyone may read</span>}
        </span>
      ),
    },
    {
      id: 'asked',
      head: 'Last asked',
      secondary: true,
      cell: (key) =>
        key.last_asked_at === null ? (
          <span className={styles.soft}>not on record</span>
        ) : (
          <Link to="/traces" search={{ where: `principal = ${key.id}` }}>
            <Moment at={key.last_asked_at} told={ago} title={moment} />
          </Link>
        ),
    },
    { id: 'made', head: 'Made', secondary: true, cell: (key) => moment(key.created_at) },
    { id: 'id', head: 'Id', secondary: true, cell: (key) => <code>{key.id}</code> },
    {
      id: 'revoke',
      head: <span className="unseen">Revoke</span>,
      cell: (key) =>
        key.revoked_at === null && (
          <Button small look="quiet" aria-label={`Revoke ${key.name}`} onClick={() => revoke(key)}>
            Revoke
          </Button>
        ),
    },
  ];
}

function Revoke({ of: key, onClose }: { readonly of: Key | null; readonly onClose: () => void }) {
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/keys/{key_id}', { params: { path: { key_id: id } } })),
    onSuccess: async (gone) => {
      toast(`${gone.name} is revoked.`);
      onClose();
      await Promise.all(['/api/keys', '/api/groups'].map((path) => client.invalidateQueries({ queryKey: [path] })));
    },
  });
  return (
    <Confirm
      open={key !== null}
      title={`Revoke ${key?.name ?? ''}?`}
      verb="Revoke"
      busy={revoke.isPending}
      error={revoke.error?.message ?? null}
      onConfirm={() => {
        if (key !== null) revoke.mutate(key.id);
      }}
      onClose={onClose}
    >
      <p>
        Whoever calls with it is refused within a second, for good: a revoked key doesn't come back. Its traces stay.
      </p>
      {key?.is_yours === true && (
        <p className={styles.warning}>It is the key that you are here with: this page will ask for another one.</p>
      )}
    </Confirm>
  );
}
