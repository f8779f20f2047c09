import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';

import { api, unwrap } from '@/lib/api/client';
import { Button } from '@/ui/button';
import { Confirm } from '@/ui/dialog';
import { toast } from '@/ui/toast';

import styles from './rule-editor.module.css';
import type { RuleTable } from './rule-form';
import type { RuleForm } from './shapes';

const route = getRouteApi('/alerts');

export interface RuleActionsProps {
  readonly form: RuleForm | null;
  /** What is sent. */
  readonly table: RuleTable;
  readonly isGood: boolean;
}

/** Save a rule; forget what was said of it here. */
export function RuleActions({ form, table, isGood }: RuleActionsProps) {
  const client = useQueryClient();
  const navigate = route.useNavigate();
  const [isAsking, setIsAsking] = useState(false);
  const leave = async (told: string) => {
    toast(told);
    await client.invalidateQueries({ queryKey: ['/api/alerts/rules'] });
    await navigate({ search: { tab: 'rules' } });
  };
  const isBack = form?.before != null && Object.keys(table).length === 1; // as the files have it
  const name = String(table.name);
  const save = useMutation({
    mutationFn: async () => {
      if (!isBack) await unwrap(api.POST('/api/alerts/rules', { body: { ...table } }));
      else if (form.rule.is_changed_here) await dropped(name);
    },
    onSuccess: () => leave(`${name} is saved. It counts from the next look on.`),
  });
  const drop = useMutation({
    mutationFn: () => dropped(name),
    onSuccess: () => leave(form?.before == null ? `${name} is deleted.` : `${name} is as it was before.`),
  });
  const verb = form?.before == null ? 'Delete' : 'Reset';
  return (
    <div className={styles.actions}>
      <Button look="primary" disabled={!isGood} busy={save.isPending} onClick={() => save.mutate()}>
        Save
      </Button>
      {form?.rule.is_changed_here === true && (
        <Button look={form.before === null ? 'danger' : 'plain'} onClick={() => setIsAsking(true)}>
          {verb}
        </Button>
      )}
      {save.error !== null && (
        <p role="alert" className={styles.error}>
          {save.error.message}
        </p>
      )}
      <Confirm
        open={isAsking}
        title={`${verb} ${name}?`}
        verb={verb}
        busy={drop.isPending}
        error={drop.error?.message ?? null}
        onConfirm={() => drop.mutate()}
        onClose={() => setIsAsking(false)}
      >
        {form?.before === null
          ? 'The rule goes, and so does what of it is on. It doesn’t come back by itself.'
          : 'What was said of it here is forgotten; it is again as the files, or Ken itself, have it.'}
      </Confirm>
    </div>
  );
}

function dropped(name: string): Promise<unknown> {
  return unwrap(api.DELETE('/api/alerts/rules/{name}', { params: { path: { name } } }));
}
