import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, apiQuery, unwrap } from '@/lib/api/client';
import { moment } from '@/lib/format';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { Checkbox, Select, TextField } from '@/ui/field';
import { toast } from '@/ui/toast';

import styles from './silence-dialog.module.css';
import { rules, standing } from './queries';
import type { Alert } from './shapes';
import { labelsInWords, lasting } from './words';

const HOUR_S = 3600;
const DURATIONS = [0.5, 1, 2, 8, 24, 72, 168].map((hours) => hours * HOUR_S);

export interface SilenceDialogProps {
  readonly open: boolean;
  /** The alert that is to be silent; null: any rule may be chosen. */
  readonly alert: Alert | null;
  readonly onClose: () => void;
}

/** Have nobody told of a rule's alerts for a while. */
export function SilenceDialog({ open, alert, onClose }: SilenceDialogProps) {
  return (
    <Dialog open={open} title={alert === null ? 'New silence' : `Silence ${alert.rule}`} onClose={onClose}>
      <SilenceForm alert={alert} onClose={onClose} />
    </Dialog>
  );
}

function SilenceForm({ alert, onClose }: Omit<SilenceDialogProps, 'open'>) {
  const client = useQueryClient();
  const known = useQuery(rules).data ?? [];
  const [rule, setRule] = useState(alert?.rule ?? '');
  const [seconds, setSeconds] = useState(2 * HOUR_S);
  const [reason, setReason] = useState('');
  const labels = alert?.labels ?? {};
  const [isNarrow, setIsNarrow] = useState(Object.keys(labels).length > 0);
  const make = useMutation({
    mutationFn: () =>
      unwrap(api.POST('/api/alerts/silences', { body: { rule, seconds, reason, labels: isNarrow ? labels : {} } })),
    onSuccess: async (made) => {
      // At once in the number on the tab and in the list below it: neither waits for what the other is told.
      client.setQueryData(standing.queryKey, (now) => now && { ...now, silences: [...now.silences, made] });
      client.setQueryData(apiQuery('/api/alerts/silences').queryKey, (now) => now && [...now, made]);
      toast(`${made.rule === '*' ? 'Everything' : made.rule} is silent until ${moment(made.until)}.`);
      onClose();
      await unwrap(api.POST('/api/alerts')); // what is on goes silent now, and not at the next look
      const paths = ['/api/alerts', '/api/alerts/silences'];
      await Promise.all(paths.map((path) => client.invalidateQueries({ queryKey: [path] })));
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
      {alert === null && (
        <Select label="Rule" required value={rule} onChange={(event) => setRule(event.target.value)}>
          <option value="">Choose a rule</option>
          <option value="*">All rules</option>
          {known.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </Select>
      )}
      {Object.keys(labels).length > 0 && (
        <Checkbox
          label={`Only ${labelsInWords(labels)}`}
          checked={isNarrow}
          onChange={(event) => setIsNarrow(event.target.checked)}
        />
      )}
      <Select label="For" value={seconds} onChange={(event) => setSeconds(Number(event.target.value))}>
        {DURATIONS.map((each) => (
          <option key={each} value={each}>
            {lasting(each)}
          </option>
        ))}
      </Select>
      <TextField
        label="Reason"
        hint="Others see it: what is known, who works on it."
        required
        maxLength={500}
        value={reason}
        onChange={(event) => setReason(event.target.value)}
      />
      <p className={styles.told}>
        It stays on record, and nobody is told. Whoever was told before is told when it is over.
      </p>
      {make.error !== null && (
        <p role="alert" className={styles.error}>
          {make.error.message}
        </p>
      )}
      <div className={styles.actions}>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" busy={make.isPending} disabled={rule === ''}>
          Silence
        </Button>
      </div>
    </form>
  );
}
