import { CopyButton } from './copy-button';
import styles from './json-view.module.css';

/** A value as indented JSON, to be read, copied or searched by the browser. */
export function JsonView({ label, value }: { readonly label: string; readonly value: unknown }) {
  const text = JSON.stringify(value, null, 2);
  return (
    <div className={styles.view}>
      <CopyButton text={text} label="Copy JSON" className={styles.copy} />
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must take the focus */}
      <pre tabIndex={0} role="region" aria-label={label} className={styles.text}>
        {text}
      </pre>
    </div>
  );
}
