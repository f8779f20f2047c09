import { CopyButton } from '@/ui/copy-button';

import styles from './knowledge.module.css';

/** A command for the terminal, to be copied. */
export function Command({ text }: { readonly text: string }) {
  return (
    <span className={styles.command}>
      <code>{text}</code>
      <CopyButton text={text} />
    </span>
  );
}
