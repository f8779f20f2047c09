import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { moment, plural } from '@/lib/format';
import { Select } from '@/ui/field';
import { Panel } from '@/ui/page';
import { Fault, Skeleton } from '@/ui/states';

import styles from './backtest-panel.module.css';
import { LineChart } from './line-chart';
import { backtestQuery, useCurrency } from './queries';
import type { RuleTable } from './rule-form';
import type { Backtest, BacktestLine } from './shapes';
import { labelsInWords, lasting } from './words';

const HOUR_S = 3600;
const SPANS = [
  [6 * HOUR_S, 'the last 6 hours'],
  [24 * HOUR_S, 'the last day'],
  [7 * 24 * HOUR_S, 'the last week'],
  [28 * 24 * HOUR_S, 'the last four weeks'],
] as const;
const HEIGHT = '22.5rem';

export interface BacktestPanelProps {
  /** As the API takes it; null while it can't be read. */
  readonly table: RuleTable | null;
  readonly compare: string;
}

/** When the rule as it is written would have fired, from the record. */
export function BacktestPanel({ table, compare }: BacktestPanelProps) {
  const [lasts, setLasts] = useState<number>(24 * HOUR_S);
  const [now] = useState(() => Math.floor(Date.now() / 60_000) * 60);
  // The last table that could be read stays on the chart while the next one is written.
  const [last, setLast] = useState(table);
  if (table !== null && table !== last) setLast(table);
  const query = useQuery({
    ...backtestQuery({ rule: last ?? {}, since: now - lasts, until: now }),
    enabled: last !== null,
  });
  const choose = (
    <Select label="Time" labelHidden value={lasts} onChange={(event) => setLasts(Number(event.target.value))}>
      {SPANS.map(([value, label]) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </Select>
  );
  return (
    <Panel title="Back-test" actions={choose}>
      {last === null ? (
        <p className={styles.note}>As soon as the rule can be read, the record shows here when it would have fired.</p>
      ) : query.error !== null && query.data === undefined ? (
        <Fault title="The back-test failed" error={query.error} onRetry={() => void query.refetch()} />
      ) : query.data === undefined ? (
        <Skeleton height={HEIGHT} />
      ) : (
        <div aria-busy={query.isPlaceholderData} className={query.isPlaceholderData ? styles.stale : undefined}>
          <Outcome told={query.data} compare={compare} />
        </div>
      )}
    </Panel>
  );
}

function Outcome({ told, compare }: { readonly told: Backtest; readonly compare: string }) {
  const [chosen, setChosen] = useState(0);
  const currency = useCurrency();
  const line = told.lines[Math.min(chosen, told.lines.length - 1)];
  return (
    <>
      <p role="status" className={styles.told}>
        {verdict(told)}
      </p>
      <Notes told={told} line={line} />
      {told.lines.length > 1 && (
        <Select
          label="Shown"
          value={Math.min(chosen, told.lines.length - 1)}
          onChange={(event) => setChosen(Number(event.target.value))}
        >
          {told.lines.map((each, index) => (
            <option key={each.fingerprint} value={index}>
              {lineInWords(each)}
            </option>
          ))}
        </Select>
      )}
      {line === undefined ? (
        <p className={styles.note}>The record has nothing that this rule looks at in this time.</p>
      ) : (
        <LineChart
          key={line.fingerprint}
          title={labelsInWords(line.labels) || 'Value and limit'}
          {...{ told, line, compare, currency }}
          height={180}
        />
      )}
    </>
  );
}

/** "Would have fired 3 times, 42 min in all, and sent 5 messages." */
export function verdict({ firings, firing_s, messages }: Pick<Backtest, 'firings' | 'firing_s' | 'messages'>): string {
  if (firings === 0) return 'Would not have fired.';
  const often = firings === 1 ? 'once' : plural(firings, 'time');
  return `Would have fired ${often}, ${lasting(firing_s)} in all, and sent ${plural(messages, 'message')}.`;
}

function lineInWords({ labels, stays }: BacktestLine): string {
  const fired = stays.filter(({ state }) => state === 'firing').length;
  return `${labelsInWords(labels)}: ${fired === 0 ? 'would not have fired' : `fired ${fired === 1 ? 'once' : plural(fired, 'time')}`}`;
}

function Notes({ told, line }: { readonly told: Backtest; readonly line: BacktestLine | undefined }) {
  const thin = line?.thin.reduce((sum, { since, until }) => sum + until - since, 0) ?? 0;
  const notes = [
    told.problem !== '' && told.problem,
    !told.is_whole && `There was time to look as far as ${moment(told.until)}; choose a shorter time for the rest.`,
    thin > 0 && `For ${lasting(thin)} there was too little to look at, and nothing could be said.`,
    told.coarse_until !== null &&
      `Before ${moment(told.coarse_until)} only whole hours are on record: a shorter window sees an hour at its beginning, and then nothing.`,
    told.left_out > 0 && `${plural(told.left_out, 'more line')} aren’t shown.`,
  ].filter((note) => note !== false);
  return notes.map((note) => (
    <p key={note} className={styles.note}>
      {note}
    </p>
  ));
}
