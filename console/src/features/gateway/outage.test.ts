import { describe, expect, it } from 'vitest';

import { answering, outages } from './outage';
import type { BreakerState, GatewayModel, GatewayModels } from './types';

function model(name: string, state: BreakerState | null, part: GatewayModel['part'] = 'chat'): GatewayModel {
  return {
    name,
    part,
    kind: 'openai',
    called: name,
    host: 'models.example.org',
    has_key: true,
    key_variable: 'A_KEY',
    places: [],
    is_default: false,
    window: 8192,
    max_tokens: 800,
    limits: null,
    patience_s: {},
    price: null,
    breaker: state === null ? null : { state, since: 0, calls: 10, error_rate: 1, slow_rate: 0, probes_at: null },
    rules: null,
    last_change: null,
    queue: null,
    retries: {},
    fallbacks: {},
    recent: { since: 0, calls: 0, failed: 0, p50_ms: null, p95_ms: null, ttft_p95_ms: null, failures: [] },
  };
}

function told(
  models: readonly GatewayModel[],
  chains: Readonly<Record<string, readonly string[]>>,
  rest: Partial<GatewayModels> = {},
): GatewayModels {
  const names = Object.keys(chains);
  return {
    at: 0,
    default_model: 'extractive',
    when_models_fail: 'answer',
    when_search_fails: 'error',
    currency: 'USD',
    price_version: '2026-11-22',
    models: [...models],
    tiers: names.map((name) => ({
      name,
      models: [...(chains[name] ?? [])],
      room: 7000,
      stand_ins: names.filter((other) => other !== name),
      tasks: [],
    })),
    ...rest,
  };
}

describe('what users get while a breaker is open', () => {
  it('says nothing while every breaker is closed', () => {
    expect(outages(told([model('light', 'closed')], { 'tier-1': ['light'] }))).toEqual([]);
  });

  it('names the next model of the chain', () => {
    const [found] = outages(told([model('light', 'open'), model('spare', 'closed')], { 'tier-1': ['light', 'spare'] }));
    expect(found?.effect).toBe('In tier-1, spare answers in its place.');
    expect(found?.isFelt).toBe(true);
  });

  it('says that nothing changes where the one that is open was only the spare', () => {
    const [found] = outages(told([model('light', 'closed'), model('spare', 'open')], { 'tier-1': ['light', 'spare'] }));
    expect(found?.effect).toBe('In tier-1, light answers as ever.');
    expect(found?.isFelt).toBe(false);
  });

  it('names the tier that stands in where a whole chain is open', () => {
    const [found] = outages(
      told([model('light', 'open'), model('strong', 'closed')], { 'tier-1': ['light'], 'tier-2': ['strong'] }),
    );
    expect(found?.effect).toBe('Questions for tier-1 go to tier-2, where strong answers.');
  });

  it('says what is left where every model is open', () => {
    const all = [model('light', 'open')];
    expect(outages(told(all, { 'tier-1': ['light'] }))[0]?.effect).toBe(
      'In tier-1, people get the passages quoted instead of a written answer.',
    );
    expect(outages(told(all, { 'tier-1': ['light'] }, { when_models_fail: 'error' }))[0]?.effect).toBe(
      'In tier-1, people get an error instead of an answer.',
    );
  });

  it('tells the default model without tiers from one that is only asked for by name', () => {
    const all = [model('house', 'open'), model('other', 'open')];
    const found = outages(told(all, {}, { default_model: 'house' }));
    expect(found.map((each) => each.model.name)).toEqual(['house', 'other']);
    expect(found[0]?.effect).toContain('Every question is affected');
    expect(found[1]?.isFelt).toBe(false);
  });

  it('tells of one that is being tried what the calls get that don’t try it', () => {
    const [found] = outages(
      told([model('light', 'half-open'), model('spare', 'closed')], { 'tier-1': ['light', 'spare'] }),
    );
    expect(found?.effect).toBe('A part of the calls tries it. For the others: in tier-1, spare answers in its place.');
  });

  it('tells what an embedder and a reranker take with them', () => {
    const parts = [model('vectors', 'open', 'embedder'), model('order', 'open', 'reranker')];
    const effects = outages(told(parts, {})).map(({ effect }) => effect);
    expect(effects[0]).toContain('questions end with an error');
    expect(effects[1]).toContain('order of the search');
    expect(outages(told(parts, {}, { when_search_fails: 'model' }))[0]?.effect).toContain('under a caveat');
  });

  it('lets the reader answer where it stands in a chain, as it has no breaker', () => {
    const all = told([model('light', 'open'), model('extractive', null, 'reader')], {
      'tier-1': ['light', 'extractive'],
    });
    const [tier] = all.tiers;
    expect(tier && answering(tier, all)).toEqual({ tier: 'tier-1', model: 'extractive' });
  });
});
