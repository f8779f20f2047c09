import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, apiQuery, unwrap } from '@/lib/api/client';
import { Button } from '@/ui/button';
import { Confirm, Dialog } from '@/ui/dialog';
import { TextField } from '@/ui/field';

import styles from './ask-page.module.css';
import type { Doing } from './history';
import { sessions } from './session';
import { ShareDialog } from './share-dialog';

export interface ConversationDialogsProps {
  readonly doing: Doing;
  readonly onDelete: (id: string) => Promise<void>;
  readonly onClose: () => void;
}

/** Renaming, sharing and deleting a conversation of the list. */
export function ConversationDialogs({ doing, onDelete, onClose }: ConversationDialogsProps) {
  const { id, title } = doing.conversation;
  const { data: me } = useQuery(apiQuery('/api/me'));
  const deletion = useMutation({ mutationFn: () => onDelete(id), onSuccess: onClose });
  if (doing.what === 'share') return <ShareDialog conversationId={id} groups={me?.groups ?? []} onClose={onClose} />;
  if (doing.what === 'rename') return <Rename id={id} title={title} onClose={onClose} />;
  return (
    <Confirm
      open
      title="Delete this conversation?"
      verb="Delete"
      busy={deletion.isPending}
      error={deletion.error?.message ?? null}
      onConfirm={() => deletion.mutate()}
      onClose={onClose}
    >
      “{title}” goes for ever, with its links to others. The traces of its questions stay on record.
    </Confirm>
  );
}

function Rename({ id, title, onClose }: { readonly id: string; readonly title: string; readonly onClose: () => void }) {
  const [name, setName] = useState(title);
  const cache = useQueryClient();
  const renaming = useMutation({
    mutationFn: () =>
      unwrap(
        api.PATCH('/api/conversations/{conversation_id}', {
          params: { path: { conversation_id: id } },
          body: { title: name },
        }),
      ),
    onSuccess: async (renamed) => {
      sessions.retitle(id, renamed.title);
      await cache.invalidateQueries({ queryKey: ['/api/conversations'] });
      onClose();
    },
  });
  return (
    <Dialog open title="Rename the conversation" onClose={onClose}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          renaming.mutate();
        }}
      >
        <TextField
          label="Title"
          value={name}
          maxLength={120}
          autoFocus // eslint-disable-line jsx-a11y/no-autofocus -- the dialog was opened to write here
          error={renaming.error?.message}
          onChange={(event) => setName(event.target.value)}
        />
        <Button look="primary" type="submit" busy={renaming.isPending} disabled={name.trim() === ''}>
          Rename
        </Button>
      </form>
    </Dialog>
  );
}
