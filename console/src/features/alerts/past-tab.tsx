import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { History } from 'lucide-react';

import { apiQuery } from '@/lib/api/client';
import { moment, plural } from '@/lib/format';
import { Select } from '@/ui/field';
import { Panel } from '@/ui/page';
import { Empty, Loaded, Skeleton } from '@/ui/states';
import { Table, type Column } from '@/ui/table';

import { episodesOf, type Episode } from './episodes';
import styles from './past-tab.module.css';
import { rules } from './queries';
import type { AlertsSearch } from './search';
import { SeverityBadge, StateBadge } from './state';
import { Timeline } from './timeline';
import { labelsInWords, lasting } from './words';

const route = getRouteApi('/alerts');
const DAY = 24;
const SPANS = [
  [6, 'the last 6 hours'],
  [DAY, 'the last day'],
  [7 * DAY, 'the last week'],
  [28 * DAY, 'the last four weeks'],
  [90 * DAY, 'the last 90 days'],
] as const;
const MOST = 500;

/** What fired, for how long, by rule and severity. */
export function PastTab({ search }: { readonly search: AlertsSearch }) {
  const { hours = 7 * DAY, rule, severity } = search;
  const query = useQuery({
    ...apiQuery('/api/alerts/history', {
      params: {
        query: {
          hours,
          limit: MOST,
          ...(rule === undefined ? {} : { rule }),
          ...(severity === undefined ? {} : { severity }),
        },
      },
    }),
    refetchInterval: 30_000,
  });
  const until = query.dataUpdatedAt / 1000; // what is on has lasted until it was looked at
  return (
    <Panel title="What fired" actions={<Filters search={search} hours={hours} />}>
      <Loaded query={query} failed="The past alerts can't be shown" skeleton={<Skeleton height="24rem" />}>
        {(changes) => {
          const episodes = episodesOf(changes, until);
          const since = until - hours * 3600;
          if (episodes.length === 0) {
            return (
              <Empty title="Nothing fired in this time" icon={<History />}>
                Look further back, or at all rules.
              </Empty>
            );
          }
          const fired = episodes.reduce((sum, { since, until }) => sum + until - since, 0);
          return (
            <>
              <p className={styles.told}>
                {plural(episodes.length, 'alert')} fired, {lasting(fired)} in all.
                {changes.length >= MOST && ` These are the newest ${MOST} changes: choose a shorter time, or one rule.`}
              </p>
              <Timeline episodes={episodes} since={since} until={until} />
              <Table label="Past alerts" columns={COLUMNS} rows={episodes} rowKey={({ key }) => key} />
            </>
          );
        }}
      </Loaded>
    </Panel>
  );
}

function Filters({ search, hours }: { readonly search: AlertsSearch; readonly hours: number }) {
  const navigate = route.useNavigate();
  const known = useQuery(rules).data ?? [];
  const change = (changes: Partial<Record<'hours' | 'rule' | 'severity', unknown>>) =>
    void navigate({ search: { ...search, tab: 'past', ...changes } as AlertsSearch, replace: true });
  return (
    <div className={styles.filters}>
      <Select
        label="Time"
        labelHidden
        value={hours}
        onChange={(event) => change({ hours: Number(event.target.value) })}
      >
        {SPANS.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </Select>
      <Select
        label="Severity"
        labelHidden
        value={search.severity ?? ''}
        onChange={(event) => change({ severity: event.target.value || undefined })}
      >
        <option value="">hard and soft</option>
        <option value="hard">hard</option>
        <option value="soft">soft</option>
      </Select>
      <Select
        label="Rule"
        labelHidden
        value={search.rule ?? ''}
        onChange={(event) => change({ rule: event.target.value || undefined })}
      >
        <option value="">all rules</option>
        {known.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
      </Select>
    </div>
  );
}

const COLUMNS: readonly Column<Episode>[] = [
  {
    id: 'alert',
    head: 'Alert',
    cell: ({ alert }) => (
      <>
        <Link to="/alerts" search={{ alert: alert.fingerprint }}>
          {alert.rule}
        </Link>{' '}
        {labelsInWords(alert.labels)} <SeverityBadge severity={alert.severity} />
        <div className={styles.summary}>{alert.summary}</div>
      </>
    ),
  },
  { id: 'fired', head: 'Fired', cell: ({ since }) => <span className={styles.time}>{moment(since)}</span> },
  {
    id: 'for',
    head: 'For',
    numeric: true,
    cell: ({ since, until, isOver }) => (isOver ? lasting(until - since) : `${lasting(until - since)} so far`),
  },
  { id: 'state', head: 'Now', secondary: true, cell: ({ alert }) => <StateBadge state={alert.state} /> },
  {
    id: 'traces',
    head: 'Behind it',
    cell: ({ alert }) =>
      alert.where === '' ? null : (
        <Link to="/traces" search={{ where: alert.where }} className={styles.traces}>
          Traces <span className="unseen">behind {alert.rule}</span>
        </Link>
      ),
  },
];
