import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { apiQuery } from '@/lib/api/client';
import { day as dayInWords } from '@/lib/format';
import { Badge } from '@/ui/badge';
import { Checkbox, TextField } from '@/ui/field';
import { Panel } from '@/ui/page';
import { Empty, Loaded, Skeleton } from '@/ui/states';
import { Table, type Column } from '@/ui/table';

import { aMillion } from './price-words';
import styles from './prices-tab.module.css';
import type { ListedPrice } from './types';

/** The price list with its date, which models it prices, and which it doesn't. */
export function PricesTab() {
  const prices = useQuery(apiQuery('/api/gateway/prices'));
  const [looked, setLooked] = useState('');
  const [former, setFormer] = useState(false);
  return (
    <Panel>
      <Loaded query={prices} failed="The prices can't be shown" skeleton={<Skeleton height="50vh" />}>
        {(told) => {
          const words = looked.toLowerCase().split(/\s+/).filter(Boolean);
          const rows = told.prices
            .filter((price) => former || price.holds)
            .filter((price) => words.every((word) => haystack(price).includes(word)))
            .toSorted((one, other) => rank(one) - rank(other));
          return (
            <>
              <p className={styles.lead}>
                List prices of {dayInWords(told.version)} in {told.currency} a million tokens. Yours may differ: put
                your own below <code>[prices]</code> in <code>ken.toml</code>, and they come before these. The first
                pattern that matches a model’s name counts.
              </p>
              {told.unpriced.length > 0 && (
                <p className={styles.unpriced} role="note">
                  <strong>Price unknown:</strong> {told.unpriced.join(', ')}. What they cost is not in any sum, and a
                  hard budget of money refuses them.
                </p>
              )}
              <div className={styles.filters}>
                <TextField
                  label="Look for a model"
                  type="search"
                  value={looked}
                  onChange={({ target }) => setLooked(target.value)}
                />
                <Checkbox
                  label="Former and coming prices, too"
                  checked={former}
                  onChange={({ target }) => setFormer(target.checked)}
                />
              </div>
              <Table
                label="Prices"
                columns={columns(told.currency)}
                rows={rows}
                rowKey={({ pattern, since }) => `${pattern} ${since ?? ''}`}
                empty={
                  <Empty title={`No price is listed for “${looked}”`}>
                    What such a model costs is unknown until <code>[prices]</code> in <code>ken.toml</code> names it.
                  </Empty>
                }
              />
            </>
          );
        }}
      </Loaded>
    </Panel>
  );
}

function haystack({ pattern, used_by: used }: ListedPrice): string {
  return [pattern, ...used].join(' ').toLowerCase();
}

/** What is in use stands first, then the operator's own; otherwise the list's order. */
function rank({ used_by: used, is_own: own }: ListedPrice): number {
  return used.length > 0 ? 0 : own ? 1 : 2;
}

function columns(currency: string): readonly Column<ListedPrice>[] {
  const price = (id: 'input' | 'output' | 'cache_read' | 'cache_write', head: string): Column<ListedPrice> => ({
    id,
    head,
    numeric: true,
    secondary: id.startsWith('cache'),
    cell: (row) => aMillion(row[id], currency),
  });
  return [
    {
      id: 'pattern',
      head: 'Names',
      cell: (row) => (
        <span className={styles.names}>
          <code>{row.pattern}</code>
          {row.is_own && <Badge tone="accent">yours</Badge>}
          {!row.holds && <Badge>{row.until === null ? 'not yet' : `until ${dayInWords(row.until)}`}</Badge>}
        </span>
      ),
    },
    { id: 'used', head: 'Here', cell: (row) => (row.used_by.length === 0 ? '' : row.used_by.join(', ')) },
    price('input', 'In'),
    price('output', 'Out'),
    price('cache_read', 'In from cache'),
    price('cache_write', 'Into cache'),
    {
      id: 'search',
      head: 'A search',
      numeric: true,
      secondary: true,
      cell: (row) => aMillion(row.search, currency),
    },
    {
      id: 'since',
      head: 'Since',
      secondary: true,
      cell: (row) => (row.since === null ? '' : dayInWords(row.since)),
    },
  ];
}
