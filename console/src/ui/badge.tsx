import type { ReactNode } from 'react';

import styles from './badge.module.css';
import { classNames } from './class-names';

export type Tone = 'neutral' | 'good' | 'warn' | 'fault' | 'accent' | 'beyond';

export interface BadgeProps {
  readonly tone?: Tone;
  readonly icon?: ReactNode;
  readonly title?: string;
  readonly children: ReactNode;
}

/** A state in a word. The colour repeats what the word says, and never says it alone. */
export function Badge({ tone = 'neutral', icon, title, children }: BadgeProps) {
  return (
    <span className={classNames(styles.badge, styles[tone])} title={title}>
      {icon !== undefined && (
        <span className={styles.icon} aria-hidden="true">
          {icon}
        </span>
      )}
      {children}
    </span>
  );
}
