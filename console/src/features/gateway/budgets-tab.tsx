import { useQuery } from '@tanstack/react-query';
import { PiggyBank } from 'lucide-react';

import { apiQuery } from '@/lib/api/client';
import { Panel } from '@/ui/page';
import { Empty, Loaded, Skeleton } from '@/ui/states';

import { BudgetCard } from './budget-card';
import styles from './budgets-tab.module.css';
import { useBudgets, useServerNow } from './queries';

const LINES = `[[budgets]]
name = "all together"
money = "200.00"       # a month, in the price list's currency
soft = 0.8             # from here on answers are made with less
hard = true            # at the limit calls are refused
`;

/** Every budget for each one whom it binds, the scarcest first. */
export function BudgetsTab() {
  const budgets = useBudgets();
  const now = useServerNow();
  // Whose they are: people know a key by its name.
  const keys = useQuery(apiQuery('/api/me'));
  return (
    <Loaded query={budgets} failed="The budgets can't be shown" skeleton={<Skeleton height="40vh" />}>
      {(told) =>
        told.budgets.length === 0 ? (
          <Panel>
            <Empty title="No budget has been set, or none has anybody to bind yet" icon={<PiggyBank />}>
              <p>
                Calls cost what they cost. A budget by the day or the month, for all together, a key, a group, a task
                type or a release, is a few lines in <code>ken.toml</code>:
              </p>
              {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- long lines scroll */}
              <pre className={styles.lines} tabIndex={0}>
                {LINES}
              </pre>
              <p>
                <code>docs/guides/budgets.md</code> says more.
              </p>
            </Empty>
          </Panel>
        ) : (
          <div className={styles.cards}>
            {told.budgets.map((budget) => (
              <BudgetCard
                key={`${budget.name} ${budget.of}`}
                budget={budget}
                currency={told.currency}
                isOwn={budget.scope === 'principal' && budget.of === keys.data?.principal}
                now={now}
              />
            ))}
          </div>
        )
      }
    </Loaded>
  );
}
