import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { apiQuery } from '@/lib/api/client';
import { ago, bytes, count, moment } from '@/lib/format';
import { Facts, Panel } from '@/ui/page';
import { Loaded, Skeleton } from '@/ui/states';
import { Table, type Column } from '@/ui/table';

import { DeleteFromRecord } from './delete-from-record';
import { shown } from './setting-words';
import styles from './settings.module.css';
import type { Setting } from './types';

const TIERS: readonly (readonly [tier: string, what: string])[] = [
  ['full', 'with everything, as long as full traces are kept'],
  ['grace', 'with everything for a day, then their figures'],
  ['metrics', 'with their figures alone'],
];

const WORDS: Readonly<Record<string, string>> = {
  redact: 'What is taken out of texts before they are kept',
  grace_h: 'Hours for which every question is kept whole',
  sample: 'Share of ordinary questions that stay whole',
  samples: 'The same, by task type',
  slow_ms: 'Slower ones stay whole (ms)',
  keep_full_days: 'Days that whole traces stay',
  keep_figures_days: 'Days that figures stay',
  keep_money_days: 'Days that what was spent stays',
  events: 'Where events are written',
  events_keep_days: 'Days that event files stay',
  events_max_mb: 'Event files take at most (MB)',
};

/** How much is kept of questions and for how long, what was lost, and deleting from it. */
export function RecordTab() {
  const record = useQuery(apiQuery('/api/record'));
  const settings = useQuery(apiQuery('/api/settings'));
  return (
    <div className={styles.stack}>
      <Panel title="What is on record">
        <Loaded query={record} failed="The record can't be shown" skeleton={<Skeleton height="14rem" />}>
          {(told) => (
            <>
              <Facts
                facts={[
                  ...TIERS.map(([tier, what]) => [`Traces ${what}`, count(told.traces[tier] ?? 0)] as const),
                  ['Oldest', told.oldest_at === null ? 'nothing is on record' : moment(told.oldest_at)],
                  ['Calls of models', count(told.calls)],
                  ['Rows of figures', count(told.rollups)],
                  ['Database', bytes(told.database_bytes)],
                  ['Event files', bytes(told.event_bytes)],
                  ['Last thinned', told.last_thinned === null ? 'not yet' : ago(told.last_thinned)],
                  ['Waiting to be written', count(told.writer.waiting)],
                ]}
              />
              {told.lost.length === 0 ? (
                <p className={styles.soft}>Nothing was lost since this home was made.</p>
              ) : (
                <p className={styles.warning}>
                  Lost since this home was made:{' '}
                  {told.lost.map((each) => `${each.kind} ${count(each.count)} (last ${ago(each.last_at)})`).join(', ')}.
                </p>
              )}
              <p>
                <Link to="/traces">Look at traces</Link>
              </p>
            </>
          )}
        </Loaded>
      </Panel>
      <Panel title="What is kept, and for how long">
        <Loaded query={settings} failed="The settings can't be shown">
          {({ settings: all }) => (
            <Table
              label="Capture"
              columns={COLUMNS}
              rows={all.filter(({ name }) => name.startsWith('capture.'))}
              rowKey={(setting) => setting.name}
            />
          )}
        </Loaded>
      </Panel>
      <DeleteFromRecord />
    </div>
  );
}

const COLUMNS: readonly Column<Setting>[] = [
  { id: 'what', head: 'What', cell: (setting) => WORDS[setting.name.replace('capture.', '')] ?? setting.name },
  { id: 'value', head: 'Value', cell: (setting) => shown(setting.value) },
  { id: 'name', head: 'Setting', secondary: true, cell: (setting) => <code>{setting.name}</code> },
];
