import type { ComponentPropsWithRef, ReactNode } from 'react';

import styles from './button.module.css';
import { classNames } from './class-names';

export type ButtonLook = 'primary' | 'plain' | 'quiet' | 'danger';

export interface ButtonProps extends ComponentPropsWithRef<'button'> {
  readonly look?: ButtonLook;
  readonly small?: boolean;
  /** Shown before the words; decoration. */
  readonly icon?: ReactNode;
  /** Work is under way: it can't be pressed again, and says so. */
  readonly busy?: boolean;
}

/** A button. One `primary` a view at most. */
export function Button({ look = 'plain', small, icon, busy, className, children, disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled === true || busy === true}
      aria-busy={busy === true || undefined}
      className={classNames(styles.button, styles[look], small === true && styles.small, className)}
    >
      {icon !== undefined && (
        <span className={styles.icon} aria-hidden="true">
          {icon}
        </span>
      )}
      {children}
    </button>
  );
}

export interface IconButtonProps extends Omit<ButtonProps, 'children' | 'icon'> {
  /** What it does, for those who don't see the icon and for the tooltip. */
  readonly label: string;
  readonly children: ReactNode;
}

/** A button that shows an icon alone. */
export function IconButton({ label, children, className, ...rest }: IconButtonProps) {
  return (
    <Button look="quiet" {...rest} aria-label={label} title={label} className={classNames(styles.square, className)}>
      <span className={styles.icon} aria-hidden="true">
        {children}
      </span>
    </Button>
  );
}
