import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { Loaded, Skeleton } from '@/ui/states';

import { LineChart } from './line-chart';
import { backtestQuery, useCurrency } from './queries';
import type { Alert, AlertRule } from './shapes';

const BEFORE_S = 3 * 3600;
const AFTER_S = 3600;
const MOST_S = 14 * 86_400;
const STEP_S = 300;

/** The value of an alert and what it is compared with, from some hours before it began, as the engine looked at it. */
export function AlertChart({ alert, rule }: { readonly alert: Alert; readonly rule: AlertRule | undefined }) {
  const currency = useCurrency();
  const [now] = useState(() => Math.floor(Date.now() / 1000 / STEP_S) * STEP_S + STEP_S);
  const span = spanOf(alert, now);
  const query = useQuery({ ...backtestQuery({ name: alert.rule, ...span }), enabled: rule !== undefined });
  if (rule === undefined || rule.compare === 'event' || rule.compare === 'runs') return null;
  return (
    <Loaded query={query} failed="The chart can't be shown" skeleton={<Skeleton height="16.1rem" />}>
      {(told) => {
        const line = told.lines.find(({ fingerprint }) => fingerprint === alert.fingerprint);
        if (line === undefined) return <p>The record has nothing of this time any more.</p>;
        return (
          <LineChart title={`${alert.rule}, value and limit`} {...{ told, line, currency }} compare={rule.compare} />
        );
      }}
    </Loaded>
  );
}

/** From some hours before it began to an hour after it was over, and to now while it is on. */
export function spanOf(alert: Pick<Alert, 'began_at' | 'resolved_at'>, now: number) {
  const until = alert.resolved_at === null ? now : Math.min(now, alert.resolved_at + AFTER_S);
  return { since: Math.max(alert.began_at - BEFORE_S, until - MOST_S), until };
}
