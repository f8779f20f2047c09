import { CircleAlert, Lock } from 'lucide-react';
import type { CSSProperties, ReactNode } from 'react';

import { Button } from './button';
import { classNames } from './class-names';
import styles from './states.module.css';

export interface EmptyProps {
  readonly title: string;
  /** What to do next. */
  readonly children?: ReactNode;
  readonly icon?: ReactNode;
  readonly action?: ReactNode;
}

/** Nothing is there yet: what that means, and what to do next. */
export function Empty({ title, children, icon, action }: EmptyProps) {
  return (
    <div className={styles.empty}>
      {icon !== undefined && (
        <span className={styles.icon} aria-hidden="true">
          {icon}
        </span>
      )}
      <p className={styles.title}>{title}</p>
      {children !== undefined && <div className={styles.told}>{children}</div>}
      {action}
    </div>
  );
}

export interface Told {
  readonly message: string;
  readonly status?: number;
  readonly traceId?: string | null;
}

export interface FaultProps {
  /** What failed, in a few words: "The sources can't be shown". */
  readonly title: string;
  readonly error: Told;
  readonly onRetry?: () => void;
}

/** Something failed: what, why, and what to try. */
export function Fault({ title, error, onRetry }: FaultProps) {
  const refused = error.status === 401 || error.status === 403;
  return (
    <div role="alert" className={classNames(styles.empty, styles.fault)}>
      <span className={styles.icon} aria-hidden="true">
        {refused ? <Lock /> : <CircleAlert />}
      </span>
      <p className={styles.title}>{title}</p>
      <p className={styles.told}>{error.message}</p>
      {error.traceId != null && (
        <p className={styles.fine}>
          Trace <code>{error.traceId}</code>
        </p>
      )}
      {onRetry !== undefined && <Button onClick={onRetry}>Try again</Button>}
    </div>
  );
}

/** Holds the place of what is on its way, in its size, so that nothing jumps when it comes. */
export function Skeleton({
  lines = 3,
  height,
}: {
  readonly lines?: number;
  readonly height?: CSSProperties['height'];
}) {
  if (height !== undefined) return <div className={styles.block} style={{ height }} aria-hidden="true" />;
  return (
    <div className={styles.lines} aria-hidden="true">
      {Array.from({ length: lines }, (_, index) => (
        <div key={index} className={styles.line} />
      ))}
    </div>
  );
}

export interface LoadedProps<T> {
  /** Of `useQuery`. */
  readonly query: {
    readonly data: T | undefined;
    readonly error: Told | null;
    readonly refetch: () => unknown;
  };
  /** "The sources can't be shown". */
  readonly failed: string;
  readonly skeleton?: ReactNode;
  readonly children: (data: T) => ReactNode;
}

/** What a query brought; a skeleton before, the fault with a way to try again. Old data stays while new is on its way. */
export function Loaded<T>({ query, failed, skeleton = <Skeleton />, children }: LoadedProps<T>) {
  if (query.data !== undefined) return children(query.data);
  if (query.error !== null) return <Fault title={failed} error={query.error} onRetry={() => void query.refetch()} />;
  return (
    <div role="status" aria-busy="true">
      <span className="unseen">Loading</span>
      {skeleton}
    </div>
  );
}
