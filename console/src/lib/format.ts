/** Figures in words, alike on every page. Unknown (null) is an en dash, never a zero. */

export const UNKNOWN = '–';

const NUMBER = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat('en-GB', { notation: 'compact', maximumFractionDigits: 1 });

/** A whole number with its thousands parted. */
export function count(value: number | null | undefined): string {
  return value == null ? UNKNOWN : NUMBER.format(value);
}

/** A number in few characters: 12.3K. */
export function compact(value: number | null | undefined): string {
  return value == null ? UNKNOWN : COMPACT.format(value);
}

/** Milliseconds in the unit that a person would say. */
export function duration(ms: number | null | undefined): string {
  if (ms == null) return UNKNOWN;
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${ms.toFixed(0)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
  return `${Math.floor(ms / 3_600_000)} h ${Math.round((ms % 3_600_000) / 60_000)} min`;
}

/** Millionths of the currency, with as many digits as say something. */
export function money(micros: number | null | undefined, currency: string): string {
  if (micros == null) return UNKNOWN;
  const value = micros / 1_000_000;
  const size = Math.abs(value);
  const digits = size === 0 || size >= 100 ? 2 : size >= 0.1 ? 3 : size >= 0.001 ? 5 : 6;
  try {
    return new Intl.NumberFormat('en-GB', {
      style: 'currency',
      currency,
      currencyDisplay: 'narrowSymbol',
      minimumFractionDigits: Math.min(2, digits),
      maximumFractionDigits: digits,
    }).format(value);
  } catch {
    return `${value.toFixed(digits)} ${currency}`; // a price list may name a unit that is no ISO currency
  }
}

/** A share of 1 as a percentage. */
export function percent(share: number | null | undefined, digits = 1): string {
  return share == null ? UNKNOWN : `${(share * 100).toFixed(digits)} %`;
}

/** Bytes in the unit that a person would say. */
export function bytes(value: number | null | undefined): string {
  if (value == null) return UNKNOWN;
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${size.toFixed(unit === 0 || size >= 100 ? 0 : 1)} ${units[unit] ?? ''}`;
}

/** A moment (seconds since the epoch) in this browser's time zone: 22 Nov 2026, 14:03:09. */
export function moment(at: number | null | undefined, options: { seconds?: boolean } = {}): string {
  if (at == null) return UNKNOWN;
  return new Date(at * 1000).toLocaleString('en-GB', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    ...(options.seconds === true ? { second: '2-digit' } : {}),
  });
}

/** A day as people write it, of an ISO date: 3 Mar 2026. */
export function day(iso: string | null | undefined): string {
  if (iso == null || iso === '') return UNKNOWN;
  return new Date(`${iso.slice(0, 10)}T12:00:00`).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
  });
}

/** How long ago, roughly: 3 min ago; in 2 h where it is to come. `now` and `at` in seconds since the epoch. */
export function ago(at: number | null | undefined, now: number = Date.now() / 1000): string {
  if (at == null) return UNKNOWN;
  const seconds = now - at;
  const size = Math.abs(seconds);
  if (size < 5) return 'just now';
  const [amount, unit] =
    size < 60
      ? [size, 's']
      : size < 3600
        ? [size / 60, 'min']
        : size < 86_400
          ? [size / 3600, 'h']
          : [size / 86_400, 'd'];
  const told = `${Math.round(amount)} ${unit}`;
  return seconds >= 0 ? `${told} ago` : `in ${told}`;
}

/** A number with its noun: 1 document, 3 documents. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}
