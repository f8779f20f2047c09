import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { BellOff, BellRing, Plus } from 'lucide-react';
import { useState } from 'react';

import { api, apiQuery, unwrap } from '@/lib/api/client';
import { ago, moment } from '@/lib/format';
import { Button } from '@/ui/button';
import { Moment } from '@/ui/moment';
import { Panel } from '@/ui/page';
import { Empty, Loaded } from '@/ui/states';
import { Table, type Column } from '@/ui/table';
import { toast } from '@/ui/toast';

import type { Silence } from './shapes';
import { SilenceDialog } from './silence-dialog';
import { labelsInWords } from './words';

/** The silences in force: made, and ended. */
export function SilencesTab() {
  const query = useQuery({ ...apiQuery('/api/alerts/silences'), refetchInterval: 30_000 });
  const [isMaking, setIsMaking] = useState(false);
  const make = (
    <Button look="primary" icon={<Plus />} onClick={() => setIsMaking(true)}>
      New silence
    </Button>
  );
  return (
    <>
      <Panel title="Silences in force" actions={make}>
        <Loaded query={query} failed="The silences can't be shown">
          {(silences) =>
            silences.length === 0 ? (
              <Empty title="Nothing is silent" icon={<BellRing />}>
                A silence keeps a rule quiet for a while, for example during maintenance. What it covers stays on
                record.
              </Empty>
            ) : (
              <Table label="Silences in force" columns={COLUMNS} rows={silences} rowKey={({ id }) => id} />
            )
          }
        </Loaded>
      </Panel>
      <SilenceDialog open={isMaking} alert={null} onClose={() => setIsMaking(false)} />
    </>
  );
}

const COLUMNS: readonly Column<Silence>[] = [
  {
    id: 'rule',
    head: 'Rule',
    cell: ({ rule, labels }) => (
      <>
        <strong>{rule === '*' ? 'All rules' : rule}</strong> {labelsInWords(labels)}
      </>
    ),
  },
  {
    id: 'until',
    head: 'Until',
    cell: ({ until }) => (
      <>
        {moment(until)} (<Moment at={until} told={ago} title={moment} />)
      </>
    ),
  },
  { id: 'reason', head: 'Reason', cell: ({ reason }) => reason || 'none given' },
  { id: 'by', head: 'By', secondary: true, cell: ({ made_by, made_at }) => `${made_by}, ${moment(made_at)}` },
  { id: 'end', head: <span className="unseen">End</span>, cell: (silence) => <End silence={silence} /> },
];

function End({ silence }: { readonly silence: Silence }) {
  const client = useQueryClient();
  const end = useMutation({
    mutationFn: () =>
      unwrap(api.DELETE('/api/alerts/silences/{silence_id}', { params: { path: { silence_id: silence.id } } })),
    onSuccess: () => toast(`${silence.rule === '*' ? 'Nothing' : silence.rule} is silent no longer.`),
    onError: (error) => toast(error.message, 'fault'),
    onSettled: async () => {
      await client.invalidateQueries({ queryKey: ['/api/alerts/silences'] });
      await client.invalidateQueries({ queryKey: ['/api/alerts'] });
    },
  });
  return (
    <Button
      small
      icon={<BellOff />}
      busy={end.isPending}
      aria-label={`End the silence of ${silence.rule === '*' ? 'all rules' : silence.rule}`}
      onClick={() => end.mutate()}
    >
      End
    </Button>
  );
}
