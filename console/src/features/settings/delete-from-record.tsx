import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, unwrap } from '@/lib/api/client';
import { plural } from '@/lib/format';
import { Button } from '@/ui/button';
import { Confirm } from '@/ui/dialog';
import { Select, TextField } from '@/ui/field';
import { Panel } from '@/ui/page';
import { toast } from '@/ui/toast';

import styles from './settings.module.css';

const KINDS = {
  principal: 'Of a person or key',
  document: 'That rest on a document',
  older_than_days: 'Older than some days',
};
type Kind = keyof typeof KINDS;

const VALUES: Readonly<Record<Kind, string>> = {
  principal: "The principal's id, as traces name it",
  document: "The document's id, as in handbook/leave.md",
  older_than_days: 'Days',
};

interface Chosen {
  readonly principal?: string;
  readonly document?: string;
  readonly older_than_days?: number;
}

/** What is asked of the API. */
function chosen(kind: Kind, value: string): Chosen {
  return kind === 'older_than_days' ? { older_than_days: Number(value) } : { [kind]: value.trim() };
}

/** Deletes traces by person, document or age: counted first, and only then, asked once more, deleted. */
export function DeleteFromRecord() {
  const client = useQueryClient();
  const [kind, setKind] = useState<Kind>('principal');
  const [value, setValue] = useState('');
  const [isSure, setIsSure] = useState(false);
  const remove = (onlyCount: boolean) =>
    unwrap(api.POST('/api/record/delete', { body: { ...chosen(kind, value), count_only: onlyCount } }));
  const counted = useMutation({ mutationFn: () => remove(true) });
  const deleted = useMutation({
    mutationFn: () => remove(false),
    onSuccess: async (gone) => {
      setIsSure(false);
      counted.reset();
      toast(`${plural(gone.traces, 'trace')} deleted.`);
      await client.invalidateQueries();
    },
  });
  const isUsable = value.trim() !== '' && (kind !== 'older_than_days' || Number(value) >= 0);
  return (
    <Panel title="Delete from the record">
      <p className={styles.soft}>
        With a trace go its question, its answer, and what was kept of both elsewhere. Figures of days stay: they name
        nobody.
      </p>
      <form
        className={styles.row}
        onSubmit={(event) => {
          event.preventDefault();
          counted.mutate();
        }}
      >
        <Select
          label="Traces"
          value={kind}
          onChange={(event) => {
            setKind(event.target.value as Kind);
            setValue('');
            counted.reset();
          }}
        >
          {Object.entries(KINDS).map(([id, label]) => (
            <option key={id} value={id}>
              {label}
            </option>
          ))}
        </Select>
        <TextField
          label={VALUES[kind]}
          required
          autoComplete="off"
          inputMode={kind === 'older_than_days' ? 'decimal' : 'text'}
          value={value}
          onChange={(event) => {
            setValue(event.target.value);
            counted.reset();
          }}
        />
        <Button type="submit" busy={counted.isPending} disabled={!isUsable}>
          Count them
        </Button>
        {counted.data !== undefined && counted.data.traces > 0 && (
          <Button look="danger" onClick={() => setIsSure(true)}>
            Delete {plural(counted.data.traces, 'trace')}
          </Button>
        )}
      </form>
      <p role="status">
        {counted.data !== undefined &&
          (counted.data.traces === 0 ? 'There are none.' : `${plural(counted.data.traces, 'trace')} would go.`)}
      </p>
      {counted.error !== null && (
        <p role="alert" className={styles.error}>
          {counted.error.message}
        </p>
      )}
      <Confirm
        open={isSure}
        title={`Delete ${plural(counted.data?.traces ?? 0, 'trace')}?`}
        verb="Delete"
        busy={deleted.isPending}
        error={deleted.error?.message ?? null}
        onConfirm={() => deleted.mutate()}
        onClose={() => setIsSure(false)}
      >
        <p>They are overwritten in the database, and don't come back.</p>
      </Confirm>
    </Panel>
  );
}
