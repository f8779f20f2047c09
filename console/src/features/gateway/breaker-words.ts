import { ago, percent } from '@/lib/format';

import type { BreakerState, GatewayModel } from './types';

/** The states by the names that people know them by, and what each means. */
export const STATES: Readonly<Record<BreakerState, { readonly word: string; readonly means: string }>> = {
  closed: { word: 'Closed', means: 'Calls go through' },
  'half-open': { word: 'Half-open', means: 'Being tried with a part of the calls' },
  open: { word: 'Open', means: 'Left alone: no calls go through' },
};

/** Since when and why a breaker stands as it does. `now` is by the server's clock, in seconds. */
export function whyInWords(model: GatewayModel, now: number): string {
  const { breaker, last_change: change } = model;
  if (breaker === null) return 'Runs inside Ken: there is nothing to break.';
  const since = ago(breaker.since, now);
  if (change === null) return `Since Ken started, ${since}.`;
  const told = change.is_told ? `another replica saw it: ${change.reason}` : change.reason;
  return `Since ${since}: ${told}.`;
}

/** When an open breaker is tried again; null for others. */
export function probeInWords(model: GatewayModel, now: number): string | null {
  const at = model.breaker?.state === 'open' ? model.breaker.probes_at : null;
  if (at === null) return null;
  const seconds = Math.ceil(at - now);
  return seconds > 0 ? `Tried again in ${seconds} s` : 'Tried again with the next call';
}

/** What moves a breaker on from where it stands. */
export function nextInWords(model: GatewayModel): string | null {
  const { breaker, rules } = model;
  if (breaker === null || rules === null) return null;
  switch (breaker.state) {
    case 'closed':
      return `Opens where ${percent(rules.error_rate, 0)} of at least ${rules.min_calls} calls fail within ${rules.window_s} s, or ${percent(rules.slow_rate, 0)} take over ${Math.round(rules.slow_s * 10) / 10} s to begin.`;
    case 'half-open':
      return `${rules.successes} good calls in a row close it; one bad one opens it again.`;
    case 'open':
      return `The next call after that is let through, then ${percent(rules.probe_fraction, 0)} of them; ${rules.successes} good ones in a row close it.`;
  }
}

const ERRORS: Readonly<Record<string, string>> = {
  ModelUnavailable: 'could not be reached',
  ModelRefused: 'answered with an error',
  ModelInterrupted: 'broke off',
  ModelTimedOut: 'took too long',
  DeadlineExceeded: 'the question’s time was up',
  Overloaded: 'too much was asked of it',
  BreakerOpen: 'was left alone',
  Unsupported: 'can’t do what was asked',
  BudgetExceeded: 'the budget was used up',
};

/** How a call failed, in words. */
export function failureInWords(error: string): string {
  return ERRORS[error] ?? (error === '' ? 'failed' : error);
}

const REASONS: Readonly<Record<string, string>> = {
  connection: 'not reached',
  interrupted: 'broke off',
  breaker_open: 'was left alone',
  overloaded: 'was full',
};

/** Counts by reason in words: 3 (500 twice, not reached once). */
export function reasonsInWords(counts: Readonly<Record<string, number>>): string {
  const all = Object.entries(counts).sort(([, one], [, other]) => other - one);
  const total = all.reduce((sum, [, times]) => sum + times, 0);
  if (total === 0) return '0';
  return `${total} (${all.map(([reason, times]) => `${REASONS[reason] ?? reason} ×${times}`).join(', ')})`;
}
