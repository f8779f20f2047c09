import { Link } from '@tanstack/react-router';

import { ago, count, duration, money, percent, plural } from '@/lib/format';
import { Badge } from '@/ui/badge';
import { Facts } from '@/ui/page';

import { BreakerSign } from './breaker-sign';
import { failureInWords, reasonsInWords } from './breaker-words';
import styles from './model-card.module.css';
import { priceInWords } from './price-words';
import type { Cost, GatewayModel } from './types';

const PARTS: Readonly<Record<GatewayModel['part'], string>> = {
  chat: 'writes answers',
  reader: 'quotes passages',
  embedder: 'turns texts into vectors',
  reranker: 'orders passages',
};

export interface ModelCardProps {
  readonly model: GatewayModel;
  readonly currency: string;
  /** Of the last days; undefined while it is on its way. */
  readonly spent: Cost | null | undefined;
  readonly spentDays: number;
  /** By the server's clock, in seconds. */
  readonly now: number;
}

/** All of one model, embedder or reranker: its breaker above all, how it does, how it is set up. */
export function ModelCard({ model, currency, spent, spentDays, now }: ModelCardProps) {
  return (
    <article id={`model-${model.name}`} className={styles.card} aria-label={model.name} tabIndex={-1}>
      <header className={styles.head}>
        <h3>{model.name}</h3>
        <Badge>{PARTS[model.part]}</Badge>
        {model.places.map(({ tier, place }) => (
          <Badge key={tier} tone="accent">
            {tier}, {place === 1 ? 'first' : `number ${place}`}
          </Badge>
        ))}
        {model.is_default && <Badge tone="accent">the default</Badge>}
      </header>
      <BreakerSign model={model} now={now} />
      <Figures model={model} />
      <Failures model={model} now={now} />
      <details className={styles.setup}>
        <summary>How it is set up</summary>
        <Facts facts={setup(model, currency)} />
      </details>
      <p className={styles.spent}>
        {spent === undefined ? 'Adding up what it cost…' : spentInWords(spent, { currency, days: spentDays })}
      </p>
    </article>
  );
}

function Figures({ model }: { readonly model: GatewayModel }) {
  const { breaker, queue, recent } = model;
  if (breaker === null) return null;
  const limit = queue?.concurrency ?? null;
  const figures: readonly (readonly [string, string, string])[] = [
    ['In flight', count(queue?.in_flight), limit === null ? 'no limit set' : `of ${limit} at once`],
    ['Waiting', count(queue?.depth), queue?.wait_p95_ms ? `p95 wait ${duration(queue.wait_p95_ms)}` : 'no wait lately'],
    [
      'Errors',
      breaker.calls === 0 ? '–' : percent(breaker.error_rate, 0),
      breaker.calls === 0 ? 'no calls lately' : `of ${plural(breaker.calls, 'call')} lately`,
    ],
    ['Took, p95', duration(recent.p95_ms), `first words ${duration(recent.ttft_p95_ms)}`],
    ['Last hour', plural(recent.calls, 'call'), `${count(recent.failed)} failed`],
  ];
  return (
    <dl className={styles.figures}>
      {figures.map(([name, value, beside]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className={styles.value}>{value}</dd>
          <dd className={styles.beside}>{beside}</dd>
        </div>
      ))}
    </dl>
  );
}

function Failures({ model, now }: { readonly model: GatewayModel; readonly now: number }) {
  const { failures } = model.recent;
  if (model.breaker === null) return null;
  return (
    <div className={styles.failures}>
      <h4>Last errors</h4>
      {failures.length === 0 ? (
        <p>None in the last hour.</p>
      ) : (
        <ul>
          {failures.map((failure, place) => (
            <li key={`${failure.at}-${place}`}>
              <span>
                {ago(failure.at, now)}: {failureInWords(failure.error)}
              </span>
              {failure.trace_id !== null && (
                <Link to="/traces/$traceId" params={{ traceId: failure.trace_id }}>
                  trace
                </Link>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** What the calls of some days cost. Calls without a known price are told beside the sum, and alone make it unknown. */
export function spentInWords(spent: Cost | null, { currency, days }: { currency: string; days: number }): string {
  if (spent === null || spent.calls === 0) return `No calls in the last ${days} days.`;
  const calls = `${plural(spent.calls, 'call')} in the last ${days} days`;
  if (spent.unknown_calls === spent.calls) return `Cost unknown: ${calls}, none with a known price.`;
  const beside = spent.unknown_calls > 0 ? `, and ${plural(spent.unknown_calls, 'call')} of unknown price on top` : '';
  return `${money(spent.cost_micros, currency)} for ${calls}${beside}.`;
}

function setup(model: GatewayModel, currency: string): readonly (readonly [string, string | null])[] {
  const { limits, patience_s: patience } = model;
  const waits = Object.entries(patience).map(
    ([what, seconds]) => `${what.replace('_', ' ')} ${duration(seconds * 1000)}`,
  );
  return [
    ['Endpoint', model.host ?? (model.breaker === null ? 'none: it runs inside Ken' : 'no longer in ken.toml')],
    ['Spoken to as', model.kind === 'ken' ? null : model.kind],
    ['Called there', model.called === model.name ? null : model.called],
    [
      'Key',
      model.breaker === null
        ? null
        : model.has_key
          ? `set, from ${model.key_variable ?? 'the environment'}`
          : 'none is sent',
    ],
    ['Window', model.window === null ? null : `${count(model.window)} tokens`],
    ['Longest answer', model.max_tokens === null ? null : `${count(model.max_tokens)} tokens`],
    ['Calls at once', limits === null ? null : (limits.max_concurrency?.toString() ?? 'no limit set')],
    [
      'Requests a minute',
      limits === null ? null : limits.requests_per_minute === null ? 'no limit set' : count(limits.requests_per_minute),
    ],
    [
      'Tokens a minute',
      limits === null ? null : limits.tokens_per_minute === null ? 'no limit set' : count(limits.tokens_per_minute),
    ],
    [
      'Queue',
      limits === null ? null : `${count(limits.queue_length)} calls, ${duration(limits.queue_s * 1000)} each at most`,
    ],
    ['Waited for', waits.length === 0 ? null : waits.join(', ')],
    ['Price', priceInWords(model.price, currency)],
    ['Tried again', model.breaker === null ? null : reasonsInWords(model.retries)],
    ['Another went on', model.breaker === null ? null : reasonsInWords(model.fallbacks)],
  ];
}
