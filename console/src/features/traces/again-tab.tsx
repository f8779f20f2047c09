import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { RotateCcw } from 'lucide-react';
import { useState } from 'react';

import { api, apiQuery, queryKey, unwrap } from '@/lib/api/client';
import { ago, moment, plural } from '@/lib/format';
import { Button } from '@/ui/button';
import { Select } from '@/ui/field';
import { Panel } from '@/ui/page';
import { Fault, Skeleton } from '@/ui/states';

import styles from './again-tab.module.css';
import { Comparison } from './comparison';
import { traceQuery } from './queries';
import type { Release, Trace } from './shapes';

export interface AgainTabProps {
  readonly trace: Trace;
  readonly currency: string;
  readonly isOperator: boolean;
  readonly comparedWith: string | null;
  readonly onCompare: (traceId: string) => void;
}

/** The question once more, with another release or model, and both answers side by side. */
export function AgainTab({ trace, currency, isOperator, comparedWith, onCompare }: AgainTabProps) {
  const [release, setRelease] = useState('');
  const [model, setModel] = useState('');
  const cache = useQueryClient();
  const me = useQuery(apiQuery('/api/me'));
  const isOwn = me.data?.principal === trace.principal;
  const releases = useQuery({ ...apiQuery('/api/releases'), enabled: isOperator });
  const models = useQuery({ ...apiQuery('/api/gateway/models'), enabled: isOperator });
  const rerun = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/api/traces/{trace_id}/rerun', {
          params: { path: { trace_id: trace.id } },
          body: { release: release || null, model: model || null },
        }),
      ),
    onSuccess: (done) => {
      onCompare(done.trace_id);
      void cache.invalidateQueries({ queryKey: queryKey('/api/traces/{trace_id}').slice(0, 1) });
    },
  });
  const chosen = releases.data?.releases.find((each) => each.id === release);
  const chat = (models.data?.models ?? []).filter((each) => each.part === 'chat').map((each) => each.name);
  const tiers = (models.data?.tiers ?? []).map((each) => each.name);
  return (
    <div className={styles.tab}>
      <Panel title="Ask again">
        <p className={styles.told}>
          The same question, of the documents of today{isOwn ? '' : `, as you and not as ${trace.principal}`}; without
          the answer cache. It counts as a test, so that figures of people&apos;s questions stay as they are.
        </p>
        <form
          className={styles.form}
          onSubmit={(event) => {
            event.preventDefault();
            rerun.mutate();
          }}
        >
          {isOperator && (
            <Select label="Release" value={release} onChange={(event) => setRelease(event.target.value)}>
              <option value="">The present one</option>
              {(releases.data?.releases ?? [])
                .filter((each) => !each.is_present)
                .map((each) => (
                  <option key={each.id} value={each.id} disabled={each.lacking.length > 0}>
                    {releaseTold(each)}
                  </option>
                ))}
            </Select>
          )}
          {isOperator && (
            <Select label="Model" value={model} onChange={(event) => setModel(event.target.value)}>
              <option value="">As the route chooses</option>
              {[...tiers, ...chat].map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </Select>
          )}
          <Button type="submit" look="primary" icon={<RotateCcw />} busy={rerun.isPending}>
            {rerun.isPending ? 'Asking' : 'Ask again'}
          </Button>
        </form>
        {chosen !== undefined && chosen.changes.length > 0 && (
          <p className={styles.told}>What it changed when it was new: {chosen.changes.join('; ')}.</p>
        )}
        <Lacking releases={releases.data?.releases ?? []} />
        {rerun.error !== null && <Fault title="It could not be asked again" error={rerun.error} />}
        {rerun.data?.history === 'unknown' && (
          <p role="note" className={styles.told}>
            The conversation before it can&apos;t be read by you, so it was asked without.
          </p>
        )}
      </Panel>
      <Before trace={trace} chosen={comparedWith} onCompare={onCompare} />
      {comparedWith !== null && <Compared trace={trace} other={comparedWith} currency={currency} />}
    </div>
  );
}

function releaseTold(release: Release): string {
  const seen = release.last_seen === null ? '' : `, served until ${ago(release.last_seen)}`;
  const lacks = release.lacking.length === 0 ? '' : ' (can’t be had again)';
  return `${release.id}${seen}, ${plural(release.questions, 'question')}${lacks}`;
}

function Lacking({ releases }: { readonly releases: readonly Release[] }) {
  const gone = releases.filter((each) => each.lacking.length > 0);
  if (gone.length === 0) return null;
  return (
    <details className={styles.gone}>
      <summary>{plural(gone.length, 'release')} can&apos;t be had again</summary>
      <ul>
        {gone.map((each) => (
          <li key={each.id}>
            <code>{each.id}</code>: {each.lacking.join('; ')}.
          </li>
        ))}
      </ul>
    </details>
  );
}

interface BeforeProps {
  readonly trace: Trace;
  readonly chosen: string | null;
  readonly onCompare: (traceId: string) => void;
}

function Before({ trace, chosen, onCompare }: BeforeProps) {
  if (trace.reruns.length === 0) return null;
  return (
    <Panel title="Asked again before">
      <ul className={styles.before}>
        {trace.reruns.map((each) => (
          <li key={each.id}>
            <button
              type="button"
              className={styles.again}
              aria-pressed={each.id === chosen}
              onClick={() => onCompare(each.id)}
            >
              {moment(each.started_at)}, {each.model || 'no model'}, release {each.release}
            </button>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Compared({
  trace,
  other,
  currency,
}: {
  readonly trace: Trace;
  readonly other: string;
  readonly currency: string;
}) {
  const query = useQuery(traceQuery(other));
  if (query.data !== undefined) return <Comparison before={trace} after={query.data} currency={currency} />;
  if (query.error !== null) {
    return <Fault title="The other trace can't be shown" error={query.error} onRetry={() => void query.refetch()} />;
  }
  return <Skeleton height="20rem" />;
}
