import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, apiQuery, unwrap } from '@/lib/api/client';
import { plural } from '@/lib/format';
import { storeKey } from '@/lib/key';
import { Button } from '@/ui/button';
import { CopyButton } from '@/ui/copy-button';
import { Dialog } from '@/ui/dialog';
import { Checkbox, TextField } from '@/ui/field';

import styles from './settings.module.css';

export interface NewKeyProps {
  readonly open: boolean;
  readonly onClose: () => void;
}

/** Makes a key, and shows its secret this one time. */
export function NewKey({ open, onClose }: NewKeyProps) {
  const [key, setKey] = useState<MadeKey | null>(null);
  const close = () => {
    setKey(null);
    onClose();
  };
  return (
    <Dialog open={open} title={key === null ? 'New key' : 'Keep this key now'} onClose={close}>
      {key === null ? <KeyForm onMade={setKey} onCancel={close} /> : <Made of={key} onClose={close} />}
    </Dialog>
  );
}

interface MadeKey {
  readonly name: string;
  readonly secret: string;
}

function KeyForm({ onMade, onCancel }: { readonly onMade: (made: MadeKey) => void; readonly onCancel: () => void }) {
  const client = useQueryClient();
  const groups = useQuery(apiQuery('/api/groups')).data ?? [];
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [others, setOthers] = useState('');
  const make = useMutation({
    mutationFn: () => unwrap(api.POST('/api/keys', { body: { name, groups: [...chosen, ...listed(others)] } })),
    onSuccess: async (made) => {
      onMade({ name: made.key.name, secret: made.secret });
      await Promise.all(['/api/keys', '/api/groups'].map((path) => client.invalidateQueries({ queryKey: [path] })));
    },
  });
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate();
      }}
    >
      <TextField
        label="Name"
        hint="Whose it is, or what it is for."
        required
        maxLength={100}
        autoComplete="off"
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <fieldset className={styles.choices}>
        <legend>Groups: what it may read besides what everyone may</legend>
        {groups
          .filter((group) => group.name !== 'everyone')
          .map((group) => (
            <Checkbox
              key={group.name}
              label={
                group.name === 'operators'
                  ? 'operators: reads and changes everything, settings and keys included'
                  : `${group.name}: ${plural(group.documents, 'document')}`
              }
              checked={chosen.includes(group.name)}
              onChange={(event) =>
                setChosen(event.target.checked ? [...chosen, group.name] : chosen.filter((each) => each !== group.name))
              }
            />
          ))}
      </fieldset>
      <TextField
        label="Other groups"
        hint="Ones that no document names yet, with commas between them."
        autoComplete="off"
        value={others}
        onChange={(event) => setOthers(event.target.value)}
      />
      {chosen.includes('operators') && (
        <p className={styles.warning}>
          With this key one can read every document and every question, and change all of it.
        </p>
      )}
      {make.error !== null && (
        <p role="alert" className={styles.error}>
          {make.error.message}
        </p>
      )}
      <div className={styles.actions}>
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" look="primary" busy={make.isPending} disabled={name.trim() === ''}>
          Make key
        </Button>
      </div>
    </form>
  );
}

function Made({ of: { name, secret }, onClose }: { readonly of: MadeKey; readonly onClose: () => void }) {
  const command = `curl -H 'Authorization: Bearer ${secret}' ${window.location.origin}/api/me`;
  return (
    <>
      <p>It isn't stored, so neither this page nor anybody else can show it again.</p>
      <div className={styles.secret}>
        <code aria-label="The key">{secret}</code>
        <CopyButton text={secret} label="Copy key" />
      </div>
      <p className={styles.soft}>To try it from elsewhere:</p>
      <pre className={styles.command}>{command}</pre>
      <p className={styles.soft}>
        To see what it sees, use it here: this tab goes on as {name} until you click that name in the bar above, or
        close the tab.
      </p>
      <div className={styles.actions}>
        <Button
          onClick={() => {
            onClose();
            storeKey(secret);
          }}
        >
          Use it in this tab
        </Button>
        <Button look="primary" onClick={onClose}>
          I have kept it
        </Button>
      </div>
    </>
  );
}

/** The names in a list with commas. */
export function listed(text: string): readonly string[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}
