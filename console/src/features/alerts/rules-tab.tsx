import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Plus, SearchX } from 'lucide-react';
import { Fragment, useDeferredValue, useState, type ReactNode } from 'react';

import { ago, moment } from '@/lib/format';
import { Badge } from '@/ui/badge';
import { Button } from '@/ui/button';
import { TextField } from '@/ui/field';
import { Moment } from '@/ui/moment';
import { Panel } from '@/ui/page';
import { Empty, Loaded, Skeleton } from '@/ui/states';
import { Table, type Column } from '@/ui/table';

import { capital } from './backtest-chart';
import { RuleEditor } from './rule-editor';
import { RuleSwitch } from './rule-switch';
import { rules } from './queries';
import styles from './rules-tab.module.css';
import type { AlertsSearch } from './search';
import type { AlertRule } from './shapes';
import { SeverityBadge } from './state';

const route = getRouteApi('/alerts');

/** All rules in force, or the editor of one. */
export function RulesTab({ search }: { readonly search: AlertsSearch }) {
  if (search.isNew === true) return <RuleEditor key="new" name={null} />;
  if (search.rule !== undefined) return <RuleEditor key={search.rule} name={search.rule} />;
  return <RuleList />;
}

function RuleList() {
  const navigate = route.useNavigate();
  const query = useQuery(rules);
  const [sought, setSought] = useState('');
  const wanted = useDeferredValue(sought.trim().toLowerCase());
  return (
    <div className={styles.tab}>
      <div className={styles.bar}>
        <TextField
          label="Find a rule"
          labelHidden
          type="search"
          placeholder="Find a rule"
          value={sought}
          onChange={(event) => setSought(event.target.value)}
        />
        <Button look="primary" icon={<Plus />} onClick={() => void navigate({ search: { tab: 'rules', isNew: true } })}>
          New rule
        </Button>
      </div>
      <Loaded query={query} failed="The rules can't be shown" skeleton={<Skeleton height="40rem" />}>
        {(all) => {
          const found = all.filter((rule) => matches(rule, wanted));
          if (found.length === 0) {
            return <Empty title={`No rule speaks of “${sought}”`} icon={<SearchX />} />;
          }
          return [...byGroup(found)].map(([group, members]) => (
            <Panel key={group} title={capital(group)}>
              <Table label={`Rules: ${group}`} columns={COLUMNS} rows={members} rowKey={({ name }) => name} />
            </Panel>
          ));
        }}
      </Loaded>
    </div>
  );
}

function matches({ name, looks_for, group }: AlertRule, wanted: string): boolean {
  return wanted === '' || `${name} ${looks_for} ${group}`.toLowerCase().includes(wanted);
}

function byGroup(all: readonly AlertRule[]): ReadonlyMap<string, readonly AlertRule[]> {
  const groups = new Map<string, AlertRule[]>();
  for (const rule of all) {
    const group = rule.group === '' ? 'without a group' : rule.group;
    const members = groups.get(group);
    if (members === undefined) groups.set(group, [rule]);
    else members.push(rule);
  }
  return groups;
}

const COLUMNS: readonly Column<AlertRule>[] = [
  { id: 'on', head: 'On', cell: (rule) => <RuleSwitch rule={rule} /> },
  {
    id: 'name',
    head: 'Rule',
    cell: (rule) => (
      <>
        <Link to="/alerts" search={{ tab: 'rules', rule: rule.name }} className={styles.name}>
          {broken(rule.name)}
        </Link>
        <div className={styles.looks}>{rule.looks_for}</div>
      </>
    ),
  },
  { id: 'severity', head: 'Severity', secondary: true, cell: ({ severity }) => <SeverityBadge severity={severity} /> },
  { id: 'from', head: 'From', secondary: true, cell: (rule) => <From rule={rule} /> },
  {
    id: 'fired',
    head: 'Last fired',
    cell: ({ last_fired_at: at }) => (at === null ? 'not yet' : <Moment at={at} told={ago} title={moment} />),
  },
];

/** A name that may go on in a new line after each of its words, and not within one. */
function broken(name: string): ReactNode {
  return name.split('_').map((word, index) => (
    <Fragment key={index}>
      {index > 0 && (
        <>
          _<wbr />
        </>
      )}
      {word}
    </Fragment>
  ));
}

function From({ rule }: { readonly rule: AlertRule }) {
  const files = rule.said.map(({ place }) => place).filter((place) => !isOwn(place));
  return (
    <span className={styles.from}>
      {rule.is_shipped ? 'Ken' : ''}
      {files.map((place) => (
        <code key={place} title={place}>
          {placeInShort(place)}
        </code>
      ))}
      {rule.is_changed_here && <Badge tone="accent">{rule.said.length === 1 ? 'made here' : 'changed here'}</Badge>}
    </span>
  );
}

function isOwn(place: string): boolean {
  return place === 'the API' || place.startsWith('the rules that Ken');
}

/** A file by its name. */
function placeInShort(place: string): string {
  return place.replaceAll("'", '').replace(/^.*\//, '').replace('[[alerts.rules]] in ', '');
}
