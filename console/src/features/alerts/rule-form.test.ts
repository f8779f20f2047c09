import { describe, expect, it } from 'vitest';

import { changesOf, tableOf, textsOf } from './rule-form';

const SHIPPED = {
  name: 'ttft_p95',
  when: 'ttft_ms.p95 > limit',
  limit: 2000,
  where: { kind: 'question' },
  for: '2m',
  filter: 'ttft.ms > {limit}',
};

describe('a rule as people write it', () => {
  it.each([
    SHIPPED,
    {
      name: 'slow',
      compare: 'burn',
      bad: 'error_rate',
      objective: 0.99,
      paces: [
        { long: '1h', short: '5m', rate: 14.4 },
        { long: '6h', short: '30m', rate: 6 },
      ],
    },
    {
      name: 'odd',
      compare: 'baseline',
      metric: 'ms.p50',
      also: ['15m', '30m'],
      of_all: true,
      by: 'tier',
      enabled: false,
    },
    { name: 'e2e', when: 'ms.p95 > limit', limits: { lookup: 3000, comparison: 6000 } },
  ])('comes back from its texts as it was: $name', (table) => {
    expect(tableOf(textsOf(table))).toEqual(table);
  });

  it('leaves what can’t be read to the server, which says why', () => {
    expect(tableOf({ name: 'x', limit: 'three' })).toEqual({ name: 'x', limit: 'three' });
  });
});

describe('what is sent', () => {
  it('is what differs from the files', () => {
    expect(changesOf({ ...SHIPPED, limit: 3000 }, SHIPPED)).toEqual({ name: 'ttft_p95', limit: 3000 });
  });

  it('is all of a rule that no file has', () => {
    expect(changesOf(SHIPPED, null)).toEqual(SHIPPED);
  });

  it('says so where a field is emptied: with nothing, or with what counts where nothing is said', () => {
    const { filter, for: held, ...rest } = SHIPPED;
    expect(filter + held).not.toBe('');
    expect(changesOf(rest, SHIPPED)).toEqual({ name: 'ttft_p95', filter: '', for: '0s' });
  });

  it('switches on again what a file switches off', () => {
    expect(changesOf(SHIPPED, { ...SHIPPED, enabled: false })).toEqual({ name: 'ttft_p95', enabled: true });
  });

  it('is all of a rule that compares in another way than before', () => {
    const other = { name: 'ttft_p95', compare: 'baseline', metric: 'ttft_ms.p50' };
    expect(changesOf(other, SHIPPED)).toEqual(other);
  });
});
