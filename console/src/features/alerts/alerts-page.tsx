import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';

import { apiQuery } from '@/lib/api/client';
import { ForOperators } from '@/ui/for-operators';
import { Page } from '@/ui/page';
import { Tabs } from '@/ui/tabs';

import { DigestTab } from './digest-tab';
import { FiringTab } from './firing-tab';
import { PastTab } from './past-tab';
import { standing } from './queries';
import { RulesTab } from './rules-tab';
import type { AlertsTab } from './search';
import { SilencesTab } from './silences-tab';

const route = getRouteApi('/alerts');

/** Alerts: what is wrong now, what was, what is looked for, what is silent, what the digest says. */
export function AlertsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const me = useQuery(apiQuery('/api/me')).data;
  const { data: alerts, error } = useQuery(standing);
  if (me?.is_operator === false || error?.status === 403) return <ForOperators title="Alerts" name={me?.name} />;
  const firing = alerts?.alerts.filter(({ state }) => state === 'firing').length ?? 0;
  const silent = alerts?.silences.length ?? 0;
  const tab = search.tab ?? 'firing';
  const tabs = [
    { id: 'firing', label: firing > 0 ? `Now (${firing})` : 'Now' },
    { id: 'past', label: 'Past' },
    { id: 'rules', label: 'Rules' },
    { id: 'silences', label: silent > 0 ? `Silences (${silent})` : 'Silences' },
    { id: 'digest', label: 'Digest' },
  ] as const;
  return (
    <Page title="Alerts" lead="Ken looks at its own figures every half minute and says when something is wrong.">
      <Tabs<AlertsTab>
        label="Alerts"
        tabs={tabs}
        selected={tab}
        onSelect={(id) => void navigate({ search: id === 'firing' ? {} : { tab: id } })}
      >
        {tab === 'firing' && <FiringTab sought={search.alert} />}
        {tab === 'past' && <PastTab search={search} />}
        {tab === 'rules' && <RulesTab search={search} />}
        {tab === 'silences' && <SilencesTab />}
        {tab === 'digest' && <DigestTab day={search.day} />}
      </Tabs>
    </Page>
  );
}
