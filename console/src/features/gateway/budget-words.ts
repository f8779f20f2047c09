import { ago, compact, count, duration, moment, money, percent, plural } from '@/lib/format';

import type { Budget } from './types';

/** An amount of what a budget counts. */
export function amount(budget: Pick<Budget, 'is_money'>, value: number, currency: string): string {
  return budget.is_money ? money(value, currency) : `${count(value)} tokens`;
}

/** The same in few characters, for an axis. */
export function shortAmount(isMoney: boolean, value: number, currency: string): string {
  return isMoney ? money(value, currency) : compact(value);
}

/** Whom or what a budget binds. */
export function whose(budget: Budget, isOwn: boolean): string {
  switch (budget.scope) {
    case 'all':
      return 'everybody together';
    case 'principal':
      return isOwn ? `you (${budget.of})` : `the key ${budget.of}`;
    case 'group':
      return `the group ${budget.of}`;
    case 'task_type':
      return budget.of === 'door' ? 'what the plain gateway passes on' : `questions of the type ${budget.of}`;
    case 'release':
      return `the release ${budget.of}`;
  }
}

/** How it goes: against an even pace, and where it ends. */
export function paceInWords(budget: Budget, currency: string): string {
  const told = (value: number) => amount(budget, value, currency);
  const over = budget.used - budget.even;
  const against =
    budget.used === 0
      ? 'Nothing is used yet.'
      : Math.abs(over) < budget.limit / 100
        ? 'On an even pace.'
        : `${told(Math.abs(over))} ${over > 0 ? 'ahead of' : 'below'} an even pace.`;
  if (budget.used >= budget.limit) return against;
  if (budget.projected === null) return `${against} It is too early in the ${budget.period} to tell how it ends.`;
  if (budget.runs_out_at !== null) {
    return `${against} As it goes, it is used up on ${moment(budget.runs_out_at)}, and would come to ${told(budget.projected)}.`;
  }
  return `${against} As it goes, it ends at ${told(budget.projected)}.`;
}

/** What happens at the limit, and before it. */
export function limitInWords(budget: Budget): string {
  const soft =
    budget.soft < 1 ? `From ${percent(budget.soft, 0)} on, answers come from lighter models and fewer passages. ` : '';
  return budget.is_hard
    ? `${soft}At the limit (hard), calls are refused until it begins anew.`
    : `${soft}The limit is soft: nothing is refused, answers are made with less.`;
}

/** When it begins anew. */
export function resetInWords(budget: Budget, now: number): string {
  return `Begins anew ${ago(budget.resets_at, now)}, on ${moment(budget.resets_at)}.`;
}

/** Calls that no sum holds; null where there are none. */
export function unknownInWords(budget: Budget): string | null {
  if (budget.unknown_calls === 0 || !budget.is_money) return null;
  return `${plural(budget.unknown_calls, 'call')} of ${count(budget.calls)} had no known price: what they cost comes on top, and is unknown.`;
}

/** How much of the period is over. */
export function elapsedInWords(budget: Budget): string {
  const length = budget.resets_at - budget.began_at;
  return `${percent(budget.elapsed, 0)} of the ${budget.period} is over, ${duration(length * (1 - budget.elapsed) * 1000)} are left`;
}
