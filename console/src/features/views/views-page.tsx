import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { ChartNoAxesCombined } from 'lucide-react';
import { useCallback, useEffect } from 'react';

import { apiQuery } from '@/lib/api/client';
import { loadCharts } from '@/ui/chart-canvas';
import { classNames } from '@/ui/class-names';
import { ForOperators } from '@/ui/for-operators';
import { Page } from '@/ui/page';
import { Empty, Fault } from '@/ui/states';
import type { Step } from '@/ui/chart-series';
import { Tabs } from '@/ui/tabs';

import { Dependencies, Patterns } from './beside-figures';
import { beforeQuery, sourceOf, tracesWhere, viewQuery, windowOf, type View } from './data';
import { FigureChart } from './figure-chart';
import { lineOf } from './figures';
import { FilterBar, type Change } from './filter-bar';
import { Hypotheses } from './hypotheses';
import { FULL, OVERVIEW, TILES } from './plans';
import { filters, VIEWS, viewsSearch, type ViewId, type ViewsSearch } from './search';
import { Story } from './story';
import { Tiles } from './tiles';
import { Timeline } from './timeline';
import { TracesBeside } from './traces-beside';
import styles from './views.module.css';
import { VIEW_WORDS, WINDOW_BEFORE } from './words';

const route = getRouteApi('/views');
const LONG_S = 3 * 86_400;
const REST_MS = 800;
/** What is asked for ahead may fail: it is asked for again when it is wanted. */
const noop = () => undefined;

/** Request health, quality, latency and cost on one axis of time and under one filter. */
export function ViewsPage() {
  const me = useQuery(apiQuery('/api/me'));
  useEffect(() => void loadCharts().catch(() => undefined), []); // while the figures are on their way; a chart says when it can't
  if (me.data?.is_operator === false) {
    return <ForOperators title="Views" name={me.data.name} />;
  }
  return (
    <Page
      title="Views"
      lead="Health, quality, latency and cost on one axis of time. Draw over a chart to look closer; choose a point to see its traces."
    >
      <Operated />
    </Page>
  );
}

function Operated() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const cache = useQueryClient();
  const { view: selected = 'overview' } = search;
  const overview = useQuery(viewQuery('overview', search));
  const before = useQuery(beforeQuery(search));
  const full = useQuery({ ...viewQuery(sourceOf(selected), search), enabled: sourceOf(selected) !== 'overview' });
  const shown = sourceOf(selected) === 'overview' ? overview : full;
  const data = shown.data?.view === sourceOf(selected) ? shown.data : undefined;

  const change = useCallback(
    (wanted: Change) => void navigate({ search: (now) => viewsSearch({ ...now, ...wanted }), resetScroll: false }),
    [navigate],
  );
  const intend = useCallback(
    (wanted: Change) => {
      const next: ViewsSearch = viewsSearch({ ...search, ...wanted });
      cache.query(viewQuery(sourceOf(next.view ?? 'overview'), next)).catch(noop);
      cache.query(viewQuery('overview', next)).catch(noop);
    },
    [cache, search],
  );
  useAhead(search, overview.isSuccess && !overview.isPlaceholderData);
  const brush = useCallback(
    ({ since, until }: Step) => change({ window: undefined, since, until, from: since, to: until, where: undefined }),
    [change],
  );
  const step = useCallback(
    ({ since, until }: Step, where: string | undefined) => change({ from: since, to: until, where }),
    [change],
  );

  const than = windowOf(search).isLive ? WINDOW_BEFORE[search.window ?? '7d'] : 'as long before';
  const where = tracesWhere(search);
  return (
    <>
      <FilterBar search={search} onChange={change} onIntent={intend} isReady={overview.data !== undefined} />
      <Tabs
        label="Views"
        selected={selected}
        onSelect={(view) => change({ view })}
        tabs={VIEWS.map((id) => ({
          id,
          label: <span onPointerEnter={() => intend({ view: id })}>{VIEW_WORDS[id]}</span>,
        }))}
      >
        <div className={styles.charts}>
          {shown.error !== null && data === undefined ? (
            <Fault title="The view can't be drawn" error={shown.error} onRetry={() => void shown.refetch()} />
          ) : isEmpty(overview.data, search) ? (
            <NothingYet />
          ) : (
            <>
              <Tiles tiles={TILES[selected]} now={overview.data} before={before.data} than={than} />
              <div
                className={classNames(styles.columns, shown.isPlaceholderData && styles.old)}
                aria-busy={shown.isFetching}
              >
                <div className={styles.charts}>
                  <Timeline view={overview.data} onBrush={brush} onStep={step} onChange={change} />
                  <Body
                    {...{ search, selected, data, than, change }}
                    before={before.data}
                    onBrush={brush}
                    onStep={step}
                  />
                </div>
                <aside className={styles.side} aria-label="Behind the figures">
                  {where !== null && search.from !== undefined && search.to !== undefined && (
                    <TracesBeside
                      where={where}
                      from={search.from}
                      to={search.to}
                      currency={overview.data?.currency ?? 'USD'}
                      onClose={() => change({ from: undefined, to: undefined, where: undefined })}
                    />
                  )}
                  <Hypotheses
                    search={search}
                    onChange={change}
                    isAsked={selected === 'story' && windowOf(search).lengthS <= LONG_S}
                  />
                </aside>
              </div>
            </>
          )}
        </div>
      </Tabs>
    </>
  );
}

/** Once a page has stood for a moment, the other views of its window are asked for, one after the other, before anybody chooses them. */
function useAhead(search: ViewsSearch, isReady: boolean): void {
  const cache = useQueryClient();
  useEffect(() => {
    if (!isReady) return;
    let isOver = false;
    const ask = async () => {
      for (const name of ['health', 'quality', 'latency', 'cost'] as const) {
        if (isOver) return;
        await cache.query(viewQuery(name, search)).catch(noop);
      }
    };
    const timer = setTimeout(() => void ask(), REST_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [cache, search, isReady]);
}

interface BodyProps {
  readonly search: ViewsSearch;
  readonly selected: ViewId;
  readonly data: View | undefined;
  readonly before: View | undefined;
  readonly than: string;
  readonly change: (wanted: Change) => void;
  readonly onBrush: (window: Step) => void;
  readonly onStep: (window: Step, where: string | undefined) => void;
}

function Body({ search, selected, data, before, than, change, onBrush, onStep }: BodyProps) {
  if (selected === 'story') return <Story {...{ search, before, than, onBrush, onStep }} view={data} />;
  if (selected === 'overview') {
    return OVERVIEW.map(({ view, charts }) => (
      <section key={view} className={styles.section}>
        <h2>
          {VIEW_WORDS[view]}
          <button type="button" className={styles.link} onClick={() => change({ view })}>
            in full
          </button>
        </h2>
        <Grid charts={charts} {...{ data, onBrush, onStep }} />
      </section>
    ));
  }
  const ends = data === undefined ? 0 : (data.times.at(-1) ?? 0) + data.step_s;
  return (
    <>
      <Grid charts={FULL[selected]} {...{ data, onBrush, onStep }} />
      {selected === 'health' && data !== undefined && <Dependencies dependencies={data.dependencies} />}
      {selected === 'cost' && data !== undefined && (
        <Patterns
          patterns={data.patterns}
          currency={data.currency}
          onOpen={(where) => change({ from: data.times[0], to: ends, where })}
        />
      )}
    </>
  );
}

interface GridProps extends Pick<BodyProps, 'data' | 'onBrush' | 'onStep'> {
  readonly charts: (typeof OVERVIEW)[number]['charts'];
}

function Grid({ charts, data, onBrush, onStep }: GridProps) {
  return (
    <div className={styles.grid}>
      {charts.map((plan) => (
        <div key={plan.title} className={styles.card}>
          <FigureChart plan={plan} view={data} onBrush={onBrush} onStep={onStep} />
        </div>
      ))}
    </div>
  );
}

/** Whether nothing was ever asked, as far as this window and no filter tell. */
function isEmpty(overview: View | undefined, search: ViewsSearch): boolean {
  if (overview === undefined || Object.keys(filters(search)).length > 0) return false;
  return (lineOf(overview, 'questions')?.whole.value ?? 0) === 0;
}

function NothingYet() {
  return (
    <Empty title="Nothing was asked in this window" icon={<ChartNoAxesCombined />}>
      <p>
        Take a longer window, or ask something: what it cost, how good it was and where its time went stands here a
        moment later.
      </p>
      <p>
        To see these views at work without questions of your own, <code>ken simulate --days 7</code> fills a home with
        made-up ones, which are marked as such.
      </p>
    </Empty>
  );
}
