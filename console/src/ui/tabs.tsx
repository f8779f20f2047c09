import { Tab, TabList, TabPanel, TabProvider } from '@ariakit/react';
import type { ReactNode } from 'react';

import styles from './tabs.module.css';

export interface TabOf<Id extends string> {
  readonly id: Id;
  readonly label: ReactNode;
}

export interface TabsProps<Id extends string> {
  /** What the tabs are about, for screen readers. */
  readonly label: string;
  readonly tabs: readonly TabOf<Id>[];
  readonly selected: Id;
  readonly onSelect: (id: Id) => void;
  /** Of the selected tab alone. */
  readonly children: ReactNode;
}

/** Tabs as WAI-ARIA's pattern has them; which is selected, the caller keeps (in the address, as a rule). */
export function Tabs<Id extends string>({ label, tabs, selected, onSelect, children }: TabsProps<Id>) {
  return (
    <TabProvider
      selectedId={selected}
      setSelectedId={(id) => {
        const tab = tabs.find((each) => each.id === id);
        if (tab !== undefined && tab.id !== selected) onSelect(tab.id);
      }}
      selectOnMove={false}
    >
      <TabList aria-label={label} className={styles.list}>
        {tabs.map((tab) => (
          <Tab key={tab.id} id={tab.id} className={styles.tab}>
            {tab.label}
          </Tab>
        ))}
      </TabList>
      <TabPanel tabId={selected} className={styles.panel}>
        {children}
      </TabPanel>
    </TabProvider>
  );
}
