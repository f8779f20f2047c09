import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';

import { apiQuery } from '@/lib/api/client';
import { Page } from '@/ui/page';
import { Fault } from '@/ui/states';
import { Tabs, type TabOf } from '@/ui/tabs';

import { CollectionsTab } from './collections-tab';
import { HeldBanner } from './held-banner';
import { QualityTab } from './quality-tab';
import { useSources, useSyncs } from './queries';
import type { KnowledgeTab } from './search';
import { SnapshotsTab } from './snapshots-tab';
import { SourcesTab } from './sources-tab';
import { SyncsTab } from './syncs-tab';
import { UploadTab } from './upload-tab';

const route = getRouteApi('/knowledge');

const FOR_ALL: readonly KnowledgeTab[] = ['collections', 'quality'];

/** What is known: collections, where they come from, how syncs go, what they were before, what is wrong with them. */
export function KnowledgePage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const isOperator = useQuery(apiQuery('/api/me')).data?.is_operator === true;
  const running = useSyncs(undefined, isOperator).data?.filter(({ state }) => state === 'running').length ?? 0;
  const failing = useSources(isOperator).data?.filter(({ problem }) => problem !== '').length ?? 0;
  const tab = search.tab ?? 'collections';
  const all: readonly TabOf<KnowledgeTab>[] = [
    { id: 'collections', label: 'Collections' },
    { id: 'sources', label: failing > 0 ? `Sources (${failing} failing)` : 'Sources' },
    { id: 'syncs', label: running > 0 ? `Syncs (${running} running)` : 'Syncs' },
    { id: 'snapshots', label: 'Snapshots' },
    { id: 'quality', label: 'Quality' },
    { id: 'upload', label: 'Add documents' },
  ];
  const mayOpen = isOperator || FOR_ALL.includes(tab);
  return (
    <Page
      title="Knowledge"
      lead="The documents that answers come from, where they come from, and what state they are in."
    >
      {isOperator && <HeldBanner />}
      <Tabs<KnowledgeTab>
        label="Knowledge"
        tabs={isOperator ? all : all.filter(({ id }) => FOR_ALL.includes(id) || id === tab)}
        selected={tab}
        onSelect={(id) => void navigate({ search: id === 'collections' ? {} : { tab: id } })}
      >
        {mayOpen ? (
          <Opened tab={tab} />
        ) : (
          <Fault
            title="This part is for operators"
            error={{
              status: 403,
              message: "Sources name documents that not everybody may read. It takes a key with the group 'operators'.",
            }}
          />
        )}
      </Tabs>
    </Page>
  );
}

function Opened({ tab }: { readonly tab: KnowledgeTab }) {
  const search = route.useSearch();
  switch (tab) {
    case 'collections':
      return <CollectionsTab collection={search.collection} />;
    case 'sources':
      return <SourcesTab source={search.source} state={search.state} />;
    case 'syncs':
      return <SyncsTab source={search.source} />;
    case 'snapshots':
      return <SnapshotsTab older={search.old} newer={search.new} document={search.document} />;
    case 'quality':
      return <QualityTab collection={search.collection} kind={search.kind} />;
    case 'upload':
      return <UploadTab collection={search.collection} />;
  }
}
