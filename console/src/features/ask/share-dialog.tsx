import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, apiQuery, unwrap } from '@/lib/api/client';
import type { Shape } from '@/lib/api/types';
import { moment } from '@/lib/format';
import { Button } from '@/ui/button';
import { CopyButton } from '@/ui/copy-button';
import { Dialog } from '@/ui/dialog';
import { Checkbox, TextField } from '@/ui/field';
import { Loaded } from '@/ui/states';

import styles from './ask-page.module.css';

const EVERYONE = 'everyone';

export interface ShareDialogProps {
  readonly conversationId: string;
  /** The groups of who shares. */
  readonly groups: readonly string[];
  readonly onClose: () => void;
}

/** Who may read a conversation by which link, and a new one. */
export function ShareDialog({ conversationId, groups, onClose }: ShareDialogProps) {
  const query = useQuery(apiQuery('/api/shares', { params: { query: { conversation_id: conversationId } } }));
  return (
    <Dialog open wide title="Share the conversation" onClose={onClose}>
      <p className={styles.fine}>
        Readers see what has been asked so far, and can’t ask here. An answer that names a document which a reader may
        not read is withheld from that reader.
      </p>
      <Loaded query={query} failed="The links can't be shown">
        {({ shares }) => (
          <ul className={styles.links} aria-label="Links">
            {shares.map((share) => (
              <ShareLink key={share.id} share={share} />
            ))}
          </ul>
        )}
      </Loaded>
      <NewShare conversationId={conversationId} groups={groups} />
    </Dialog>
  );
}

function ShareLink({ share }: { readonly share: Shape<'ShareSummary'> }) {
  const cache = useQueryClient();
  const ending = useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/shares/{share_id}', { params: { path: { share_id: share.id } } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: ['/api/shares'] }),
  });
  const readers = share.groups.map((each) => (each === EVERYONE ? 'everybody with a key' : each)).join(', ');
  return (
    <li className={styles.link}>
      <span>
        {readers}
        <span className={styles.fine}>as of {moment(share.until)}</span>
      </span>
      <CopyButton text={`${location.origin}/shared/${share.id}`} label="Copy the link" />
      <a href={`/shared/${share.id}`}>Open</a>
      <Button small look="danger" busy={ending.isPending} onClick={() => ending.mutate()}>
        End
      </Button>
      {ending.error !== null && <p role="alert">{ending.error.message}</p>}
    </li>
  );
}

function NewShare({ conversationId, groups }: Omit<ShareDialogProps, 'onClose'>) {
  const cache = useQueryClient();
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [others, setOthers] = useState('');
  const named = others.split(',').map((each) => each.trim());
  const readers = [...new Set([...chosen, ...named.filter((each) => each !== '')])];
  const sharing = useMutation({
    mutationFn: () => unwrap(api.POST('/api/shares', { body: { conversation_id: conversationId, groups: readers } })),
    onSuccess: () => {
      setChosen([]);
      setOthers('');
      return cache.invalidateQueries({ queryKey: ['/api/shares'] });
    },
  });
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        sharing.mutate();
      }}
    >
      {[EVERYONE, ...groups.filter((each) => each !== EVERYONE)].map((group) => (
        <Checkbox
          key={group}
          label={group === EVERYONE ? 'Everybody with a key' : group}
          checked={chosen.includes(group)}
          onChange={(event) =>
            setChosen(event.target.checked ? [...chosen, group] : chosen.filter((each) => each !== group))
          }
        />
      ))}
      <TextField
        label="Other groups"
        hint="Separated by commas"
        value={others}
        onChange={(event) => setOthers(event.target.value)}
      />
      {sharing.error !== null && (
        <p role="alert" className={styles.problem}>
          {sharing.error.message}
        </p>
      )}
      <Button look="primary" type="submit" busy={sharing.isPending} disabled={readers.length === 0}>
        Make a link
      </Button>
    </form>
  );
}
