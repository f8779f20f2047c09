import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';

import { apiQuery } from '@/lib/api/client';
import { Page } from '@/ui/page';
import { Fault, Skeleton } from '@/ui/states';
import { Tabs } from '@/ui/tabs';

import { AgainTab } from './again-tab';
import { AnswerTab } from './answer-tab';
import { ChecksTab } from './checks-tab';
import { PassagesTab } from './passages-tab';
import { PromptTab } from './prompt-tab';
import { traceQuery } from './queries';
import { RawTab } from './raw-tab';
import type { TraceTab } from './search';
import type { Trace } from './shapes';
import { SpansTab } from './spans-tab';
import { TraceHead } from './trace-head';
import { lastList } from './way-back';
import { isAsked, titleOf } from './words';

/** One trace: what was asked, what came of it, and every step between. */
export function TracePage() {
  const { traceId } = useParams({ from: '/traces/$traceId' });
  const query = useQuery(traceQuery(traceId));
  const me = useQuery(apiQuery('/api/me'));
  if (query.error !== null && query.data === undefined) {
    return (
      <Page title="Trace" above={<WayBack />}>
        <Fault
          title={query.error.status === 404 ? 'There is no such trace that you may see' : "The trace can't be shown"}
          error={query.error}
          onRetry={() => void query.refetch()}
        />
      </Page>
    );
  }
  if (query.data === undefined) {
    return (
      <Page title="Trace">
        <div role="status" aria-busy="true">
          <span className="unseen">Loading the trace</span>
          <Skeleton height="70vh" />
        </div>
      </Page>
    );
  }
  return (
    <Page title={titleOf(query.data)} above={<WayBack />}>
      <TraceHead trace={query.data} currency={me.data?.currency ?? 'USD'} />
      <Parts trace={query.data} currency={me.data?.currency ?? 'USD'} isOperator={me.data?.is_operator === true} />
    </Page>
  );
}

/** To the list as it was left, with its filters. */
function WayBack() {
  return (
    <nav aria-label="Way back">
      <Link to="/traces" search={lastList()}>
        Traces
      </Link>
    </nav>
  );
}

interface PartsProps {
  readonly trace: Trace;
  readonly currency: string;
  readonly isOperator: boolean;
}

function Parts({ trace, currency, isOperator }: PartsProps) {
  const search = useSearch({ from: '/traces/$traceId' });
  const navigate = useNavigate({ from: '/traces/$traceId' });
  const tabs = useMemo(() => tabsOf(trace, isOperator), [trace, isOperator]);
  const selected = tabs.find((tab) => tab.id === search.tab)?.id ?? tabs[0]?.id ?? 'raw';
  const go = useCallback(
    (tab: TraceTab) => void navigate({ search: (now) => ({ ...now, tab }), replace: true }),
    [navigate],
  );
  const choose = useCallback(
    (span: string) => void navigate({ search: (now) => ({ ...now, tab: 'spans' as const, span }), replace: true }),
    [navigate],
  );
  return (
    <Tabs label="Parts of the trace" tabs={tabs} selected={selected} onSelect={go}>
      {selected === 'spans' && (
        <SpansTab trace={trace} currency={currency} selected={search.span ?? null} onSelect={choose} onTab={go} />
      )}
      {selected === 'answer' && <AnswerTab trace={trace} />}
      {selected === 'passages' && <PassagesTab trace={trace} />}
      {selected === 'prompt' && <PromptTab trace={trace} isOperator={isOperator} />}
      {selected === 'checks' && <ChecksTab trace={trace} />}
      {selected === 'again' && (
        <AgainTab
          trace={trace}
          currency={currency}
          isOperator={isOperator}
          comparedWith={search.with ?? null}
          onCompare={(other) => void navigate({ search: (now) => ({ ...now, tab: 'again' as const, with: other }) })}
        />
      )}
      {selected === 'raw' && <RawTab trace={trace} />}
    </Tabs>
  );
}

/** The tabs that have something to show of a kind of trace. */
function tabsOf(trace: Trace, isOperator: boolean) {
  const asked = isAsked(trace);
  const isCall = trace.kind === 'call';
  const all: readonly (readonly [TraceTab, string, boolean])[] = [
    ['spans', `Steps (${trace.spans.length})`, true],
    ['answer', `Answer (${trace.citations.length} cited)`, asked],
    ['passages', `Passages (${trace.evidence.length})`, asked && !isCall],
    ['prompt', 'Prompt', asked && (isOperator || trace.prompt.length > 0)],
    ['checks', 'Checks and feedback', asked],
    ['again', 'Ask again', asked && !isCall],
    ['raw', 'JSON', true],
  ];
  return all.filter(([, , has]) => has).map(([id, label]) => ({ id, label }));
}
