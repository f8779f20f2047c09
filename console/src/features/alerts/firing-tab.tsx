import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { CircleCheck, RefreshCw } from 'lucide-react';
import { useMemo, useState } from 'react';

import { api, apiQuery, queryKey, unwrap } from '@/lib/api/client';
import { plural } from '@/lib/format';
import { Button } from '@/ui/button';
import { Empty, Fault, Loaded, Skeleton } from '@/ui/states';

import { AlertCard } from './alert-card';
import styles from './firing-tab.module.css';
import { groupsOf } from './groups';
import { rules, standing } from './queries';
import type { Alert, AlertRule } from './shapes';
import { SilenceDialog } from './silence-dialog';
import { capital } from './backtest-chart';

/** What is wrong now, what is about to be, and what was over in the last day. */
export function FiringTab({ sought }: { readonly sought: string | undefined }) {
  const query = useQuery(standing);
  const known = useQuery(rules);
  const byName = useMemo(() => new Map(known.data?.map((rule) => [rule.name, rule])), [known.data]);
  const [silenced, setSilenced] = useState<Alert | null>(null);
  const cards = { byName, sought, onSilence: setSilenced };
  return (
    <div className={styles.tab}>
      <Loaded query={query} failed="The alerts can't be shown" skeleton={<Skeleton height="24rem" />}>
        {({ alerts }) => {
          const of = (...states: Alert['state'][]) => alerts.filter(({ state }) => states.includes(state));
          return (
            <>
              <Headline firing={of('firing')} />
              {sought !== undefined && !alerts.some(({ fingerprint }) => fingerprint === sought) && (
                <Sought fingerprint={sought} {...cards} />
              )}
              <Groups alerts={of('firing')} {...cards} />
              <Rest title="Waiting to fire" alerts={of('pending')} {...cards} />
              <Rest title="Silenced" alerts={of('silenced')} {...cards} />
              <Rest title="Over in the last day" alerts={of('resolved')} {...cards} />
            </>
          );
        }}
      </Loaded>
      <SilenceDialog alert={silenced} open={silenced !== null} onClose={() => setSilenced(null)} />
    </div>
  );
}

interface Cards {
  readonly byName: ReadonlyMap<string, AlertRule>;
  readonly sought: string | undefined;
  readonly onSilence: (alert: Alert) => void;
}

function Headline({ firing }: { readonly firing: readonly Alert[] }) {
  const client = useQueryClient();
  const look = useMutation({
    mutationFn: () => unwrap(api.POST('/api/alerts')),
    onSuccess: (found) => client.setQueryData(queryKey('/api/alerts'), found),
  });
  return (
    <div className={styles.headline}>
      <p role="status" className={styles.count}>
        {headline(firing)}
      </p>
      <Button small icon={<RefreshCw />} busy={look.isPending} onClick={() => look.mutate()}>
        Look now
      </Button>
      {look.error !== null && <span role="alert">{look.error.message}</span>}
    </div>
  );
}

function Groups({ alerts, ...cards }: Cards & { readonly alerts: readonly Alert[] }) {
  if (alerts.length === 0) {
    return (
      <Empty title="All rules are content" icon={<CircleCheck />}>
        What fires appears here as soon as it does. Under “Rules” you see what is looked for.
      </Empty>
    );
  }
  return groupsOf(alerts).map(([group, members]) => (
    <section key={group} className={styles.group} aria-label={capital(group)}>
      <h2>{capital(group)}</h2>
      <CardList alerts={members} {...cards} />
    </section>
  ));
}

function Rest({ title, alerts, ...cards }: Cards & { readonly title: string; readonly alerts: readonly Alert[] }) {
  const isSought = alerts.some(({ fingerprint }) => fingerprint === cards.sought);
  const [isOpen, setIsOpen] = useState(isSought);
  if (alerts.length === 0) return null;
  return (
    <details className={styles.rest} open={isOpen} onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>
        {title} ({alerts.length})
      </summary>
      {isOpen && <CardList alerts={alerts} {...cards} />}
    </details>
  );
}

function CardList({ alerts, byName, sought, onSilence }: Cards & { readonly alerts: readonly Alert[] }) {
  return (
    <div className={styles.cards}>
      {alerts.map((alert) => (
        <AlertCard
          key={alert.fingerprint}
          alert={alert}
          rule={byName.get(alert.rule)}
          isSought={alert.fingerprint === sought}
          onSilence={onSilence}
        />
      ))}
    </div>
  );
}

/** What a message links to and what is over for longer than a day: from the history. */
function Sought({ fingerprint, ...cards }: Cards & { readonly fingerprint: string }) {
  const query = useQuery(apiQuery('/api/alerts/{fingerprint}', { params: { path: { fingerprint } } }));
  if (query.error !== null) return <Fault title="The alert of this link isn't on record" error={query.error} />;
  return query.data === undefined ? <Skeleton height="14rem" /> : <CardList alerts={[query.data]} {...cards} />;
}

/** "3 alerts are firing, 1 of them hard". */
export function headline(firing: readonly Pick<Alert, 'severity'>[]): string {
  if (firing.length === 0) return 'Nothing is firing';
  const hard = firing.filter(({ severity }) => severity === 'hard').length;
  const kind = hard === firing.length ? 'hard ' : hard === 0 ? 'soft ' : '';
  const told = plural(firing.length, `${kind}alert is`, `${kind}alerts are`);
  return `${told} firing${kind === '' ? `, ${hard} of them hard` : ''}`;
}
