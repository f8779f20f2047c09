import { Popover as AriaPopover, PopoverDisclosure, PopoverProvider } from '@ariakit/react';
import type { ReactElement, ReactNode } from 'react';

import styles from './overlay.module.css';

export interface PopoverProps {
  /** What it holds, for screen readers. */
  readonly label: string;
  /** The button that opens it. */
  readonly trigger: ReactElement;
  readonly children: ReactNode;
}

/** A small panel beside the button that opens it; closes on Escape and on a click elsewhere. */
export function Popover({ label, trigger, children }: PopoverProps) {
  return (
    <PopoverProvider>
      <PopoverDisclosure render={trigger} />
      <AriaPopover gutter={6} portal unmountOnHide aria-label={label} className={styles.popover}>
        {children}
      </AriaPopover>
    </PopoverProvider>
  );
}
