import { money } from '@/lib/format';

import type { Outlook } from './types';

type Plan = NonNullable<Outlook['plan']>;

/** What would happen, in one or two sentences. */
export function verdict(outlook: Outlook, currency: string): string {
  if (outlook.stages.recall?.startsWith('found') === true) {
    return 'The answer cache has it: it is given again, and no model is asked.';
  }
  switch (outlook.outcome) {
    case 'abstained':
      return 'It is beyond Ken: no document that the asker may read holds it, so no model is asked.';
    case 'refused':
      return 'It is refused before anything is looked up.';
    case 'asked_back':
      return 'Ken asks back, since it may mean several things.';
    case 'answered':
      return 'It is answered without a model.';
    case 'failed':
      return 'It fails before a model is asked.';
  }
  const [first] = outlook.models;
  if (first === undefined) return 'No model would be asked.';
  const taken = outlook.models.find(({ breaker }) => breaker !== 'open') ?? first;
  const instead = taken === first ? '' : `, since the breaker of ${first.name} is open`;
  const where = outlook.tier === '' ? '' : `${outlook.tier}: `;
  return `${where}${taken.name} answers${instead}, from ${outlook.passages} ${outlook.passages === 1 ? 'passage' : 'passages'}, for ${costRange(taken, currency)}.`;
}

/** What is said beside the answer; that the budget is short only once. */
export function noticesOf({ budget, notices }: Pick<Outlook, 'budget' | 'notices'>): readonly string[] {
  const isSaid = budget.notice === '' || notices.some((notice) => notice.includes(budget.notice));
  return isSaid ? notices : [budget.notice, ...notices];
}

/** From a typical answer to the longest one; unknown where the price is. */
export function costRange(model: Outlook['models'][number], currency: string): string {
  const { least_micros: least, most_micros: most } = model;
  if (least === null || most === null) return 'an unknown price';
  if (most === 0) return 'nothing';
  return least === most ? money(most, currency) : `${money(least, currency)} to ${money(most, currency)}`;
}

/** What a feature adds to the difficulty, in log-odds. */
export function contributionInWords(points: number): string {
  return `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(2)}`;
}

/** The parts of a window with their tokens, and the colour of each (0: none); what is free comes last. */
export function planParts(
  plan: Plan,
): readonly { readonly name: string; readonly tokens: number; readonly colour: number }[] {
  const parts = [
    { name: 'instructions', tokens: plan.system, colour: 1 },
    { name: 'history', tokens: plan.history, colour: 3 },
    { name: 'summary of earlier turns', tokens: plan.earlier, colour: 4 },
    { name: 'passages', tokens: plan.passages, colour: 2 },
    { name: 'question', tokens: plan.query, colour: 7 },
    { name: 'answer', tokens: plan.answer, colour: 5 },
    { name: 'margin', tokens: plan.margin, colour: 8 },
  ].filter(({ tokens }) => tokens > 0);
  const free = plan.window - parts.reduce((sum, { tokens }) => sum + tokens, 0);
  return free > 0 ? [...parts, { name: 'free', tokens: free, colour: 0 }] : parts;
}
