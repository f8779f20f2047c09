import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';

import { apiQuery } from '@/lib/api/client';
import { ForOperators } from '@/ui/for-operators';
import { Page } from '@/ui/page';
import { Tabs, type TabOf } from '@/ui/tabs';

import { AboutTab } from './about-tab';
import { EffectiveTab } from './effective-tab';
import { GroupsTab } from './groups-tab';
import { KeysTab } from './keys-tab';
import { RecordTab } from './record-tab';
import { ReleasesTab } from './releases-tab';
import type { SettingsSearch, SettingsTab } from './search';

const route = getRouteApi('/settings');

const LABELS: readonly TabOf<SettingsTab>[] = [
  { id: 'keys', label: 'Keys' },
  { id: 'groups', label: 'Groups' },
  { id: 'releases', label: 'Releases' },
  { id: 'settings', label: 'Settings' },
  { id: 'record', label: 'Record' },
  { id: 'about', label: 'About' },
];

/** Who may call and what that opens, what answers are made with, what is set where, and what is kept. */
export function SettingsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const me = useQuery(apiQuery('/api/me')).data;
  const keys = useQuery(apiQuery('/api/keys'));
  const show = (changed: SettingsSearch) => void navigate({ search: changed, replace: true });
  if (me?.is_operator === false || keys.error?.status === 403) {
    return <ForOperators title="Settings" name={me?.name} />;
  }
  const tab = search.tab ?? 'keys';
  return (
    <Page title="Settings" lead="Who may call, what answers are made with, what is set where, and what is kept.">
      <Tabs
        label="Settings"
        tabs={LABELS}
        selected={tab}
        onSelect={(wanted) => void navigate({ search: wanted === 'keys' ? {} : { tab: wanted } })}
      >
        {tab === 'keys' && <KeysTab search={search} onSearch={show} />}
        {tab === 'groups' && <GroupsTab />}
        {tab === 'releases' && <ReleasesTab />}
        {tab === 'settings' && <EffectiveTab search={search} onSearch={show} />}
        {tab === 'record' && <RecordTab />}
        {tab === 'about' && <AboutTab />}
      </Tabs>
    </Page>
  );
}
