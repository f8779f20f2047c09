import type { ReactNode } from 'react';

import { classNames } from './class-names';
import styles from './page.module.css';

export interface PageProps {
  readonly title: ReactNode;
  /** Above the title: the way back to what the page is one of. */
  readonly above?: ReactNode;
  /** A sentence below the title. */
  readonly lead?: ReactNode;
  /** Buttons and filters at the title's end. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** The frame of a page that is operated rather than read: its title, what can be done, what it shows. */
export function Page({ title, above, lead, actions, children }: PageProps) {
  return (
    <div className={styles.page}>
      {typeof title === 'string' && <title>{`${title} · Ken`}</title>}
      <header className={styles.head}>
        <div className={styles.told}>
          {above}
          <h1>{title}</h1>
          {lead !== undefined && <p className={styles.lead}>{lead}</p>}
        </div>
        {actions !== undefined && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export interface PanelProps {
  readonly title?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string | undefined;
}

/** A part of a page with a frame around it. */
export function Panel({ title, actions, children, className }: PanelProps) {
  return (
    <section className={classNames(styles.panel, className)}>
      {(title !== undefined || actions !== undefined) && (
        <header className={styles.panelHead}>
          {title !== undefined && <h2>{title}</h2>}
          {actions !== undefined && <div className={styles.actions}>{actions}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

/** Name and value, line by line; a value that is null isn't shown. */
export function Facts({ facts }: { readonly facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className={styles.facts}>
      {facts
        .filter(([, value]) => value !== null)
        .map(([name, value]) => (
          <div key={name} className={styles.fact}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
