import type { ReactNode } from 'react';

import styles from './prose.module.css';

interface ScrollerProps {
  readonly label: string;
  readonly children: ReactNode;
}

/** What may be wider than the page, as tables and listings are: it scrolls by itself, by the keyboard too. */
export function Scroller({ label, children }: ScrollerProps) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- whoever has no mouse scrolls it with the arrow keys
    <div className={styles.wide} role="group" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}
