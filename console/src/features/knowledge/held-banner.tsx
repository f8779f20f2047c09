import { useQueryClient } from '@tanstack/react-query';
import { TriangleAlert } from 'lucide-react';
import { useState } from 'react';

import { moment } from '@/lib/format';
import { Button } from '@/ui/button';

import styles from './knowledge.module.css';
import { served, useSnapshots } from './queries';
import { UseDialog } from './use-dialog';

/** Says that an older corpus version is served, on every part of the page, for as long as it is. */
export function HeldBanner() {
  const snapshots = useSnapshots();
  const queryClient = useQueryClient();
  const [asks, setAsks] = useState(false);
  const { inUse, isOld } = served(snapshots.data ?? []);
  if (inUse === undefined || !isOld) return null;
  const made = snapshots.data?.find((each) => each.corpus_version === inUse.content)?.made_at;
  return (
    <div className={styles.banner} role="status">
      <TriangleAlert aria-hidden="true" />
      <p>
        <strong>An older version of the documents is served</strong>: version {inUse.content}
        {made === undefined ? '' : ` of ${moment(made)}`}. Syncs go on, and what they bring is kept back until the
        newest is served again.
      </p>
      <Button onClick={() => setAsks(true)}>Serve the newest…</Button>
      <UseDialog
        wanted={asks ? 'newest' : null}
        onClose={() => setAsks(false)}
        onDone={() => void queryClient.invalidateQueries()}
      />
    </div>
  );
}
