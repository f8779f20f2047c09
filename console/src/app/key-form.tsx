import { useState, type SubmitEvent } from 'react';

import { storeKey } from '@/lib/key';
import { Button } from '@/ui/button';
import { TextField } from '@/ui/field';

import styles from './shell.module.css';

/** Asks for a key; `reason`: why the last one was refused. */
export function KeyForm({ reason }: { readonly reason: string | null }) {
  const [key, setKey] = useState('');
  const use = (event: SubmitEvent) => {
    event.preventDefault();
    if (key.trim() !== '') storeKey(key.trim());
  };
  return (
    <form className={styles.key} onSubmit={use}>
      <h1>This Ken needs a key</h1>
      <p>
        Whoever runs it makes one with <code>ken keys create NAME</code>.
      </p>
      <TextField
        label="Key"
        type="password"
        autoComplete="off"
        spellCheck={false}
        placeholder="ken-…"
        required
        value={key}
        error={reason}
        hint="It stays in this tab and is forgotten with it."
        onChange={(event) => setKey(event.currentTarget.value)}
      />
      <Button type="submit" look="primary">
        Use this key
      </Button>
    </form>
  );
}
