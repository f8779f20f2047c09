import { count, duration, money, moment, percent, UNKNOWN } from '@/lib/format';

import type { Alert, Unit } from './shapes';

/** A value in the unit of what a rule compares. */
export function valueInWords(value: number | null | undefined, unit: Unit | undefined, currency: string): string {
  if (value == null) return UNKNOWN;
  switch (unit) {
    case 'ms':
      return value === 0 ? '0 ms' : duration(value);
    case 'share':
      return percent(value);
    case 'micros':
      return money(value, currency);
    case 'rate':
      return `${plain(value)}×`;
    case 'tokens':
      return `${plain(value)} tokens`;
    case 'tokens/s':
      return `${plain(value)} tokens/s`;
    default:
      return plain(value);
  }
}

function plain(value: number): string {
  return Math.abs(value) >= 100 ? count(value) : String(Number(value.toPrecision(3)));
}

/** What an alert is about, beside its rule: "task type lookup"; empty where its rule tells nothing apart. */
export function labelsInWords(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(
      ([name, value]) =>
        `${name === 'of' || name === 'label' ? '' : `${name.replaceAll('_', ' ')} `}${value || 'none'}`,
    )
    .join(', ');
}

/** Seconds as people say them: 90 s, 15 min, 2 h 5 min, 3 d. */
export function lasting(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  if (whole < 2 * 86_400) return minutes === 0 ? `${hours} h` : `${hours} h ${minutes} min`;
  const days = Math.floor(whole / 86_400);
  const left = Math.floor((whole % 86_400) / 3600);
  return left === 0 ? `${days} d` : `${days} d ${left} h`;
}

/** Since when an alert has been as it is, and for how long it fired where that is over. */
export function sinceInWords(alert: Alert): string {
  switch (alert.state) {
    case 'firing':
    case 'silenced':
      return `since ${moment(alert.fired_at ?? alert.since)}`;
    case 'pending':
      return `seen since ${moment(alert.began_at)}`;
    default:
      return alert.fired_at === null || alert.resolved_at === null
        ? `over at ${moment(alert.resolved_at)}`
        : `over at ${moment(alert.resolved_at)}, after ${lasting(alert.resolved_at - alert.fired_at)}`;
  }
}

const COMPARED: Readonly<Record<string, string>> = {
  threshold: 'limit',
  before: 'before',
  baseline: 'usual',
  burn: 'allowed rate',
  after: 'before the change',
  runs: 'run before',
  trend: 'at the beginning',
  event: 'limit',
};

/** What a value is compared with, by how its rule compares. */
export function comparedWith(compare: string | undefined): string {
  return COMPARED[compare ?? ''] ?? 'compared with';
}
