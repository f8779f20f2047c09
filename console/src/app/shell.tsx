import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Outlet } from '@tanstack/react-router';

import { storedKey } from '@/lib/key';
import { useConnection, useLive } from '@/lib/live';
import { Fault, Skeleton } from '@/ui/states';
import { Toasts } from '@/ui/toast';

import { KeyForm } from './key-form';
import { meQuery } from './query-client';
import styles from './shell.module.css';
import { TopBar } from './top-bar';

/** What is around every page: who asks, where to go, and the way in where a key is wanted. */
export function Shell() {
  const me = useQuery(meQuery);
  return (
    <>
      <a className={styles.skip} href="#main">
        Skip to the page
      </a>
      <TopBar me={me.data} />
      <main id="main" tabIndex={-1} className={styles.main}>
        {me.error?.needsKey === true ? (
          <KeyForm reason={storedKey() === null ? null : me.error.message.replaceAll('`', '')} />
        ) : me.data !== undefined ? (
          <Inside />
        ) : me.error !== null ? (
          <Fault title="Ken can't be reached" error={me.error} onRetry={() => void me.refetch()} />
        ) : (
          <Skeleton height="70vh" />
        )}
      </main>
      <Toasts />
    </>
  );
}

/** The page, once it is known who looks at it. */
function Inside() {
  useLive(useQueryClient());
  const connection = useConnection();
  return (
    <>
      {connection === 'away' && (
        <p role="status" className={styles.away}>
          Ken can&rsquo;t be reached at the moment. What you see may be old; it is tried again.
        </p>
      )}
      <Outlet />
    </>
  );
}
