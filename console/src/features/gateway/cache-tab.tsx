import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';

import { apiQuery } from '@/lib/api/client';
import { plural } from '@/lib/format';
import { Select } from '@/ui/field';
import { Panel } from '@/ui/page';
import { Loaded, Skeleton } from '@/ui/states';

import { CacheEntries } from './cache-entries';
import { CacheEntryDialog } from './cache-entry-dialog';
import { CacheFigures } from './cache-figures';
import styles from './cache-tab.module.css';
import { without } from './search';

const DAYS = [1, 7, 30, 90] as const;

/** What the answer cache did, and the answers that it holds. */
export function CacheTab() {
  const { days = 30, entry = null } = useSearch({ from: '/gateway' });
  const navigate = useNavigate({ from: '/gateway' });
  const figures = useQuery({
    ...apiQuery('/api/gateway/cache', { params: { query: { days } } }),
    refetchInterval: 15_000,
  });
  const choices: readonly number[] = DAYS.includes(days as (typeof DAYS)[number]) ? DAYS : [...DAYS, days];
  return (
    <>
      <Panel
        title="What it did"
        actions={
          <div className={styles.days}>
            <Select
              label="Of the last days"
              labelHidden
              value={days}
              onChange={({ target }) =>
                void navigate({ search: (held) => ({ ...held, days: Number(target.value) }), replace: true })
              }
            >
              {choices.map((each) => (
                <option key={each} value={each}>
                  the last {plural(each, 'day')}
                </option>
              ))}
            </Select>
          </div>
        }
      >
        <Loaded query={figures} failed="The figures of the cache can't be shown" skeleton={<Skeleton height="14rem" />}>
          {(told) => <CacheFigures told={told} />}
        </Loaded>
      </Panel>
      <Panel title="Answers that may be given again">
        <CacheEntries categories={Object.keys(figures.data?.categories ?? {})} />
      </Panel>
      <CacheEntryDialog
        id={entry}
        onClose={() =>
          void navigate({
            search: (held) => without(held, 'entry'),
          })
        }
      />
    </>
  );
}
