import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { X } from 'lucide-react';

import { duration, moment, money } from '@/lib/format';
import { Badge, type Tone } from '@/ui/badge';
import { IconButton } from '@/ui/button';
import { stepInWords } from '@/ui/chart-series';
import { Panel } from '@/ui/page';
import { Loaded, Skeleton } from '@/ui/states';

import { tracesQuery } from './data';
import styles from './views.module.css';

export interface TracesBesideProps {
  readonly where: string;
  readonly from: number;
  readonly to: number;
  readonly currency: string;
  readonly onClose: () => void;
}

const TONES: Readonly<Record<string, Tone>> = {
  answered: 'good',
  abstained: 'beyond',
  failed: 'fault',
  refused: 'warn',
};
const OUTCOMES: Readonly<Record<string, string>> = { abstained: 'beyond its ken', asked_back: 'asked back' };

/** The traces behind a window or a point of a chart. */
export function TracesBeside({ where, from, to, currency, onClose }: TracesBesideProps) {
  const query = useQuery(tracesQuery(where));
  return (
    <Panel
      title="Traces behind it"
      className={styles.beside}
      actions={
        <>
          <Link to="/traces" search={{ where }}>
            Open all in Traces
          </Link>
          <IconButton small label="Close the traces" onClick={onClose}>
            <X size={16} />
          </IconButton>
        </>
      }
    >
      <p className={styles.fine}>
        {to - from <= 86_400 ? stepInWords({ since: from, until: to }) : `${moment(from)} to ${moment(to)}`}
      </p>
      <p className={styles.filter}>
        <code>{where}</code>
      </p>
      <Loaded query={query} failed="The traces can't be listed" skeleton={<Skeleton lines={8} />}>
        {({ traces, before }) =>
          traces.length === 0 ? (
            <p>
              No trace meets this. Figures are kept for longer than traces, so an older window may have figures without
              any.
            </p>
          ) : (
            <>
              <ul className={styles.traces} aria-busy={query.isPlaceholderData}>
                {traces.map((trace) => (
                  <li key={trace.id}>
                    <Link to="/traces/$traceId" params={{ traceId: trace.id }}>
                      <span className={styles.question}>
                        {trace.question === '' ? '(no longer kept)' : trace.question}
                      </span>
                      <span className={styles.facts}>
                        <Badge tone={TONES[trace.outcome] ?? 'neutral'}>
                          {OUTCOMES[trace.outcome] ?? trace.outcome}
                        </Badge>
                        <span>{duration(trace.ms)}</span>
                        <span>{money(trace.cost_micros, currency)}</span>
                        <span>{moment(trace.started_at)}</span>
                      </span>
                    </Link>
                  </li>
                ))}
              </ul>
              {before !== null && <p className={styles.fine}>The newest {traces.length}; there are more.</p>}
            </>
          )
        }
      </Loaded>
    </Panel>
  );
}
