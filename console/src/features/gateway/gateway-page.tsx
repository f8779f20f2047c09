import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';

import { apiQuery } from '@/lib/api/client';
import { moment } from '@/lib/format';
import { ForOperators } from '@/ui/for-operators';
import { Page } from '@/ui/page';
import { Skeleton } from '@/ui/states';
import { Tabs, type TabOf } from '@/ui/tabs';

import { BudgetsTab } from './budgets-tab';
import { CacheTab } from './cache-tab';
import { CostsTab } from './costs-tab';
import { OutageBanner } from './outage-banner';
import { Overview } from './overview';
import { PricesTab } from './prices-tab';
import { useModels } from './queries';
import { RoutesTab } from './routes-tab';
import type { GatewayTab } from './search';
import styles from './stack.module.css';

const TABS: readonly TabOf<GatewayTab>[] = [
  { id: 'overview', label: 'Overview' },
  { id: 'budgets', label: 'Budgets' },
  { id: 'cache', label: 'Answer cache' },
  { id: 'routes', label: 'Routes' },
  { id: 'costs', label: 'Costs' },
  { id: 'prices', label: 'Prices' },
];

/** What stands between questions and models: breakers, tiers, budgets, the answer cache, routes, costs and prices. */
export function GatewayPage() {
  const { tab = 'overview' } = useSearch({ from: '/gateway' });
  const navigate = useNavigate({ from: '/gateway' });
  const me = useQuery(apiQuery('/api/me')).data;
  const models = useModels();
  if (me?.is_operator === false || models.error?.status === 403) {
    return <ForOperators title="Gateway" name={me?.name} />;
  }
  return (
    <Page title="Gateway" lead="What stands between a question and the model that answers it.">
      <div className={styles.state}>
        {models.data === undefined ? (
          <Skeleton height="var(--state-height)" />
        ) : models.data.models.some(({ breaker }) => breaker !== null) ? (
          <OutageBanner told={models.data} />
        ) : (
          <p className={styles.none}>No call leaves this process, so there is no breaker that could open.</p>
        )}
      </div>
      {models.error !== null && models.data !== undefined && (
        <p role="alert" className={styles.stale}>
          This is as of {moment(models.data.at, { seconds: true })}: {models.error.message}
        </p>
      )}
      <Tabs
        label="Gateway"
        tabs={TABS}
        selected={tab}
        onSelect={(wanted) => void navigate({ search: wanted === 'overview' ? {} : { tab: wanted } })}
      >
        <div className={styles.stack}>
          {tab === 'overview' && <Overview />}
          {tab === 'budgets' && <BudgetsTab />}
          {tab === 'cache' && <CacheTab />}
          {tab === 'routes' && <RoutesTab />}
          {tab === 'costs' && <CostsTab />}
          {tab === 'prices' && <PricesTab />}
        </div>
      </Tabs>
    </Page>
  );
}
