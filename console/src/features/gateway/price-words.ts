import { day, money, UNKNOWN } from '@/lib/format';

import type { GatewayModel } from './types';

type Price = NonNullable<GatewayModel['price']>;

/** A price a million tokens; a dash where there is none. Nothing to pay is said as such. */
export function aMillion(micros: number | null, currency: string): string {
  return micros === null ? UNKNOWN : micros === 0 ? 'free' : money(micros, currency);
}

/** What a model costs and where that is from; unknown is said, and is not free. */
export function priceInWords(price: Price | null, currency: string): string {
  if (price === null) return 'unknown: name it below [prices] in ken.toml';
  const from = price.is_own
    ? 'from ken.toml'
    : price.since === null
      ? 'from the list'
      : `from the list, since ${day(price.since)}`;
  if (price.search !== null) return `${money(price.search, currency)} a search (${from})`;
  if (price.input === 0 && (price.output ?? 0) === 0) return `free (${from})`;
  const parts = [
    `${aMillion(price.input, currency)} in`,
    ...(price.output === null ? [] : [`${aMillion(price.output, currency)} out`]),
    ...(price.cache_read === null ? [] : [`${aMillion(price.cache_read, currency)} in from the provider’s cache`]),
  ];
  return `${parts.join(', ')} a million tokens (${from})`;
}
