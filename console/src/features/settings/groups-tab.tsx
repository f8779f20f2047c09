import { useQuery } from '@tanstack/react-query';

import { apiQuery } from '@/lib/api/client';
import { count, plural } from '@/lib/format';
import { Badge } from '@/ui/badge';
import { Panel } from '@/ui/page';
import { Loaded } from '@/ui/states';
import { Table, type Column } from '@/ui/table';

import styles from './settings.module.css';
import type { Group } from './types';

const MEANINGS: Readonly<Record<string, string>> = {
  everyone: 'Every key belongs to it: what it opens, anybody who may call may read.',
  operators: 'Reads every document and every trace, and may change everything.',
};

const MOST_SHOWN = 6;

/** Who belongs to what, and what that opens. */
export function GroupsTab() {
  const groups = useQuery(apiQuery('/api/groups'));
  return (
    <Panel title="Groups">
      <p className={styles.soft}>
        Documents name the groups that may read them: in their front matter, by their source's rules, or as their
        collection does. Keys are given groups when they are made. One group in common opens a document.
      </p>
      <Loaded query={groups} failed="The groups can't be shown">
        {(all) => <Table label="Groups" columns={COLUMNS} rows={all} rowKey={(group) => group.name} />}
      </Loaded>
    </Panel>
  );
}

const COLUMNS: readonly Column<Group>[] = [
  {
    id: 'name',
    head: 'Group',
    cell: (group) => (
      <>
        <strong>{group.name}</strong>
        {MEANINGS[group.name] !== undefined && <p className={styles.fine}>{MEANINGS[group.name]}</p>}
      </>
    ),
  },
  {
    id: 'keys',
    head: 'Keys that have it',
    cell: (group) => <Names names={group.keys.map((key) => key.name)} none="no key" />,
  },
  { id: 'documents', head: 'Documents', numeric: true, cell: (group) => count(group.documents) },
  {
    id: 'collections',
    head: 'Of the collections',
    secondary: true,
    cell: (group) => (
      <Names names={group.collections.map((each) => `${each.name} (${count(each.documents)})`)} none="none" />
    ),
  },
];

function Names({ names, none }: { readonly names: readonly string[]; readonly none: string }) {
  if (names.length === 0) return <span className={styles.soft}>{none}</span>;
  return (
    <span className={styles.words}>
      {names.slice(0, MOST_SHOWN).map((name) => (
        <Badge key={name}>{name}</Badge>
      ))}
      {names.length > MOST_SHOWN && (
        <span className={styles.soft} title={names.slice(MOST_SHOWN).join(', ')}>
          and {plural(names.length - MOST_SHOWN, 'other')}
        </span>
      )}
    </span>
  );
}
