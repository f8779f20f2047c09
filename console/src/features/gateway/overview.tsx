import { useQuery } from '@tanstack/react-query';

import { apiQuery } from '@/lib/api/client';
import { moment } from '@/lib/format';
import { Panel } from '@/ui/page';
import { Loaded, Skeleton } from '@/ui/states';

import { BreakerChanges } from './breaker-changes';
import { ModelCard } from './model-card';
import { NoModels } from './no-models';
import styles from './overview.module.css';
import { useHealth, useModels, useServerNow } from './queries';
import stack from './stack.module.css';
import { TierPicture } from './tier-picture';
import type { GatewayModels } from './types';

const SPENT_DAYS = 7;

/** Tiers as chains, every model with its breaker, and the last changes. */
export function Overview() {
  const now = useServerNow();
  const models = useModels();
  const health = useHealth();
  return (
    <Loaded query={models} failed="The models can't be shown" skeleton={<Skeleton height="50vh" />}>
      {(told) => (
        <div className={stack.stack}>
          {told.models.every(({ breaker }) => breaker === null) ? (
            <NoModels />
          ) : (
            <>
              <Panel title="Who is asked, in which order">
                <TierPicture told={told} />
              </Panel>
              <Cards told={told} now={now} />
            </>
          )}
          {health.data !== undefined && health.data.events.length > 0 && (
            <Panel title="Last changes of breakers">
              <BreakerChanges events={health.data.events} now={now} />
            </Panel>
          )}
          <p className={styles.fine}>
            As of {moment(told.at, { seconds: true })}. Counts of tries are those of this process since it started
            {health.data?.sharing == null
              ? '.'
              : health.data.sharing === 'redis'
                ? '; breakers and limits are shared with other replicas over Redis.'
                : '; Redis is away, so that breakers and limits are this replica’s alone.'}
          </p>
        </div>
      )}
    </Loaded>
  );
}

function Cards({ told, now }: { readonly told: GatewayModels; readonly now: number }) {
  const costs = useQuery({
    ...apiQuery('/api/gateway/costs', { params: { query: { by: 'model', days: SPENT_DAYS } } }),
    refetchInterval: 60_000,
  });
  // What is wrong stands first; otherwise the order of ken.toml.
  const order = { open: 0, 'half-open': 1, closed: 2, none: 3 } as const;
  const sorted = told.models.toSorted(
    (one, other) => order[one.breaker?.state ?? 'none'] - order[other.breaker?.state ?? 'none'],
  );
  return (
    <div className={styles.cards}>
      {sorted.map((model) => (
        <ModelCard
          key={model.name}
          model={model}
          currency={told.currency}
          spent={costs.data === undefined ? undefined : (costs.data.costs.find(({ of }) => of === model.name) ?? null)}
          spentDays={SPENT_DAYS}
          now={now}
        />
      ))}
    </div>
  );
}
