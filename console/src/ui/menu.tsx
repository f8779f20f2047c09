import { Menu as AriaMenu, MenuButton, MenuItem, MenuProvider } from '@ariakit/react';
import type { ReactElement, ReactNode } from 'react';

import { classNames } from './class-names';
import styles from './overlay.module.css';

export interface MenuChoice {
  readonly label: ReactNode;
  readonly onSelect: () => void;
  readonly danger?: boolean;
  readonly disabled?: boolean;
}

/** A menu of actions behind a button (`trigger`). */
export function Menu({
  trigger,
  choices,
}: {
  readonly trigger: ReactElement;
  readonly choices: readonly MenuChoice[];
}) {
  return (
    <MenuProvider>
      <MenuButton render={trigger} />
      <AriaMenu gutter={4} portal unmountOnHide className={styles.menu}>
        {choices.map((choice, index) => (
          <MenuItem
            key={index}
            disabled={choice.disabled === true}
            onClick={choice.onSelect}
            className={classNames(styles.choice, choice.danger === true && styles.danger)}
          >
            {choice.label}
          </MenuItem>
        ))}
      </AriaMenu>
    </MenuProvider>
  );
}
