import type { GatewayModel, GatewayModels, GatewayTier } from './types';

/** A part that is left alone or being tried, and what that means for whoever asks. */
export interface Outage {
  readonly model: GatewayModel;
  readonly state: 'open' | 'half-open';
  /** What users get now, in one sentence. */
  readonly effect: string;
  /** Whether answers are worse for it, and not only others'. */
  readonly isFelt: boolean;
}

/** The parts whose breakers aren't closed, those that are felt first. */
export function outages(told: GatewayModels): readonly Outage[] {
  const found: Outage[] = [];
  for (const model of told.models) {
    const state = model.breaker?.state ?? 'closed';
    if (state === 'closed') continue;
    found.push({ model, state, ...effectOf(model, told) });
  }
  return found.sort((one, other) => rank(one) - rank(other));
}

function rank({ state, isFelt }: Outage): number {
  return (state === 'open' ? 0 : 2) + (isFelt ? 0 : 1);
}

/** Whether a model takes no calls at present. */
export function isDown(name: string, told: GatewayModels): boolean {
  return told.models.find((model) => model.name === name)?.breaker?.state === 'open';
}

/** Who answers for a tier now: the first of its models that takes calls, else the first tier that stands in and has one. */
export function answering(tier: GatewayTier, told: GatewayModels): { tier: string; model: string } | null {
  const others = tier.stand_ins.map((name) => told.tiers.find((each) => each.name === name));
  for (const each of [tier, ...others]) {
    const model = each?.models.find((name) => !isDown(name, told));
    if (each !== undefined && model !== undefined) return { tier: each.name, model };
  }
  return null;
}

type Effect = Pick<Outage, 'effect' | 'isFelt'>;

function effectOf(model: GatewayModel, told: GatewayModels): Effect {
  if (model.part === 'embedder') {
    return {
      isFelt: true,
      effect:
        told.when_search_fails === 'model'
          ? 'Documents can’t be searched by meaning: the model answers on its own, under a caveat.'
          : 'Documents can’t be searched by meaning: questions end with an error that says so.',
    };
  }
  if (model.part === 'reranker') {
    return {
      isFelt: true,
      effect: 'Passages stand in the order of the search, so answers may cite a little less well.',
    };
  }
  if (model.breaker?.state === 'half-open') {
    const rest = effectOf(...whileOpen(model, told));
    return { isFelt: rest.isFelt, effect: `A part of the calls tries it. For the others: ${lowered(rest.effect)}` };
  }
  const tiers = told.tiers.filter((tier) => tier.models.includes(model.name));
  if (tiers.length > 0) return ofTiers(tiers, told);
  if (told.tiers.length === 0 && model.name === told.default_model) {
    return { isFelt: true, effect: `Every question is affected: ${lastResort(told)}.` };
  }
  return { isFelt: false, effect: 'Only who asks for it by its name is affected, and gets an error at once.' };
}

function ofTiers(tiers: readonly GatewayTier[], told: GatewayModels): Effect {
  const parts = tiers.map((tier) => {
    const first = tier.models[0];
    const now = answering(tier, told);
    if (now === null) return { felt: true, text: `in ${tier.name}, ${lastResort(told)}` };
    if (now.tier !== tier.name) {
      return { felt: true, text: `questions for ${tier.name} go to ${now.tier}, where ${named(now.model)} answers` };
    }
    if (now.model === first) return { felt: false, text: `in ${tier.name}, ${named(now.model)} answers as ever` };
    return { felt: true, text: `in ${tier.name}, ${named(now.model)} answers in its place` };
  });
  return { isFelt: parts.some(({ felt }) => felt), effect: `${sentence(parts.map(({ text }) => text))}.` };
}

/** The same as if it were left alone altogether. */
function whileOpen(model: GatewayModel, told: GatewayModels): [GatewayModel, GatewayModels] {
  if (model.breaker === null) return [model, told];
  const open: GatewayModel = { ...model, breaker: { ...model.breaker, state: 'open' } };
  return [open, { ...told, models: told.models.map((each) => (each.name === model.name ? open : each)) }];
}

/** What happens where no model is left. */
function lastResort(told: GatewayModels): string {
  return told.when_models_fail === 'answer'
    ? 'people get the passages quoted instead of a written answer'
    : 'people get an error instead of an answer';
}

function named(model: string): string {
  return model === 'extractive' ? 'the reader, which quotes passages,' : model;
}

function lowered(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function sentence(parts: readonly string[]): string {
  const text = parts.join('; ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
