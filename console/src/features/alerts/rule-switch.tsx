import { useMutation, useQueryClient } from '@tanstack/react-query';

import { api, fetched, unwrap } from '@/lib/api/client';
import { toast } from '@/ui/toast';

import { changesOf } from './rule-form';
import styles from './rule-switch.module.css';
import type { AlertRule } from './shapes';

/** Switches a rule on or off; all else that was said of it here stays. */
export function RuleSwitch({ rule }: { readonly rule: AlertRule }) {
  const client = useQueryClient();
  const put = useMutation({
    mutationFn: (isOn: boolean) => switched(rule.name, isOn),
    onError: (error) => toast(error.message, 'fault'),
    onSuccess: (_, isOn) => toast(`${rule.name} is ${isOn ? 'on' : 'off'}.`),
    onSettled: () => client.invalidateQueries({ queryKey: ['/api/alerts/rules'] }),
  });
  const isOn = put.isPending ? put.variables : rule.is_on;
  return (
    <input
      type="checkbox"
      role="switch"
      className={styles.switch}
      aria-label={`${rule.name} is on`}
      checked={isOn}
      aria-busy={put.isPending}
      // Disabled, it would lose the focus of whoever works with keys.
      onChange={(event) => {
        if (!put.isPending) put.mutate(event.target.checked);
      }}
    />
  );
}

async function switched(name: string, isOn: boolean): Promise<unknown> {
  const { table, before } = await fetched('/api/alerts/rules/{name}', { params: { path: { name } } });
  const rest = Object.fromEntries(Object.entries(table).filter(([field]) => field !== 'enabled'));
  const changes = changesOf(isOn ? rest : { ...rest, enabled: false }, before);
  if (before !== null && Object.keys(changes).length === 1) {
    return unwrap(api.DELETE('/api/alerts/rules/{name}', { params: { path: { name } } }));
  }
  return unwrap(api.POST('/api/alerts/rules', { body: { ...changes } }));
}
