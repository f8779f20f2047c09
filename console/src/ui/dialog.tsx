import { X } from 'lucide-react';
import { useEffect, useId, useRef, type ReactNode } from 'react';

import { Button, IconButton } from './button';
import { classNames } from './class-names';
import styles from './dialog.module.css';

export interface DialogProps {
  readonly open: boolean;
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** Buttons at the end. */
  readonly actions?: ReactNode;
  readonly wide?: boolean;
}

/** A modal dialog: the browser's own, with its focus trap, Escape and inert page behind; focus returns to where it was. */
export function Dialog({ open, title, onClose, children, actions, wide }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = element.current;
    if (dialog === null) return;
    if (open && !dialog.open) {
      dialog.showModal();
      // The browser would take the first thing that can have the focus, which is the cross; people come for the field.
      const body = '[data-part="body"]';
      const fields = `${body} :is(input, select, textarea):not([type="hidden"], :disabled)`;
      const first =
        dialog.querySelector<HTMLElement>(`[autofocus], ${fields}`) ?? dialog.querySelector('footer button');
      if (first instanceof HTMLElement) first.focus();
      if (first instanceof HTMLInputElement) first.select();
    }
    if (!open && dialog.open) dialog.close();
  }, [open]);
  return (
    <dialog
      ref={element}
      aria-labelledby={id}
      className={classNames(styles.dialog, wide === true && styles.wide)}
      onClose={onClose}
    >
      {open && (
        <>
          <header className={styles.head}>
            <h2 id={id}>{title}</h2>
            <IconButton label="Close" onClick={onClose}>
              <X />
            </IconButton>
          </header>
          <div className={styles.body} data-part="body">
            {children}
          </div>
          {actions !== undefined && <footer className={styles.actions}>{actions}</footer>}
        </>
      )}
    </dialog>
  );
}

export interface ConfirmProps {
  readonly open: boolean;
  readonly title: string;
  /** What goes, and whether it comes back. */
  readonly children: ReactNode;
  /** The verb on the button: "Delete", never "OK". */
  readonly verb: string;
  readonly busy?: boolean;
  /** What went wrong when it was tried. */
  readonly error?: string | null;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** Asks before something that can't be undone. */
export function Confirm({ open, title, children, verb, busy = false, error, onConfirm, onClose }: ConfirmProps) {
  return (
    <Dialog
      open={open}
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="danger" busy={busy} onClick={onConfirm}>
            {verb}
          </Button>
        </>
      }
    >
      {children}
      {error != null && (
        <p role="alert" className={styles.error}>
          {error}
        </p>
      )}
    </Dialog>
  );
}
