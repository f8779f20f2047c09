import { ago, moment } from '@/lib/format';
import { Badge, type Tone } from '@/ui/badge';
import { Table, type Column } from '@/ui/table';

import { StateIcon } from './breaker-sign';
import { STATES } from './breaker-words';
import type { BreakerEvent, BreakerState } from './types';

const TONES: Readonly<Record<BreakerState, Tone>> = { closed: 'good', 'half-open': 'warn', open: 'fault' };
const MOST = 20;

/** The last changes of breakers, the newest first. */
export function BreakerChanges({ events, now }: { readonly events: readonly BreakerEvent[]; readonly now: number }) {
  const columns: readonly Column<BreakerEvent>[] = [
    { id: 'at', head: 'When', cell: ({ at }) => <span title={moment(at, { seconds: true })}>{ago(at, now)}</span> },
    { id: 'who', head: 'Which', cell: ({ dependency }) => dependency },
    {
      id: 'to',
      head: 'Became',
      cell: ({ new: state }) => (
        <Badge tone={TONES[state]} icon={<StateIcon state={state} />}>
          {STATES[state].word}
        </Badge>
      ),
    },
    {
      id: 'why',
      head: 'Why',
      cell: ({ reason, is_told: isTold }) => (isTold ? `${reason} (another replica saw it)` : reason),
    },
  ];
  return (
    <Table
      label="Last changes of breakers"
      columns={columns}
      rows={events.slice(0, MOST)}
      rowKey={({ at, dependency, new: state }) => `${at} ${dependency} ${state}`}
    />
  );
}
