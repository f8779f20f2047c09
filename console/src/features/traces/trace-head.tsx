import { Link } from '@tanstack/react-router';

import { count, duration, moment, money, percent } from '@/lib/format';
import { Badge } from '@/ui/badge';
import { CopyButton } from '@/ui/copy-button';
import { Facts } from '@/ui/page';

import type { Trace } from './shapes';
import styles from './trace-page.module.css';
import { isAsked, KIND_WORDS, Outcome } from './words';

export interface TraceHeadProps {
  readonly trace: Trace;
  readonly currency: string;
}

/** What a trace came to, in a few lines. */
export function TraceHead({ trace, currency }: TraceHeadProps) {
  const asked = isAsked(trace);
  return (
    <section aria-label="Summary" className={styles.head}>
      <div className={styles.badges}>
        <Outcome trace={trace} />
        {trace.kind !== 'question' && <Badge>{KIND_WORDS[trace.kind] ?? trace.kind}</Badge>}
        {trace.escalated && <Badge tone="warn">Escalated to a stronger tier</Badge>}
        {trace.degraded && <Badge tone="warn">Answered with less</Badge>}
        {trace.failed_checks.length > 0 && (
          <Badge tone="warn">Checks found a fault: {trace.failed_checks.join(', ')}</Badge>
        )}
        <span className={styles.id}>
          <code>{trace.id}</code>
          <CopyButton text={trace.id} label="Copy id" />
          <CopyButton text={() => window.location.href} label="Copy link" />
        </span>
      </div>
      {trace.error !== '' && (
        <p role="note" className={styles.error}>
          {trace.error}
        </p>
      )}
      {trace.capture === 'metrics' && (
        <p role="note" className={styles.note}>
          This trace has been thinned: its figures are left, its texts, steps and passages are no longer kept. What is
          kept for how long is set under <code>[capture]</code>; traces with which something was wrong stay whole for
          longer.
        </p>
      )}
      <Facts
        facts={[
          ['Took', duration(trace.ms)],
          ['First text after', asked ? duration(trace.ttft_ms) : null],
          ['Cost', trace.kind === 'external' ? null : cost(trace, currency)],
          [
            trace.kind === 'sync' ? 'Tokens embedded' : 'Tokens in / out',
            trace.kind === 'external'
              ? null
              : trace.kind === 'sync'
                ? count(trace.input_tokens)
                : `${count(trace.input_tokens)} / ${count(trace.output_tokens)}`,
          ],
          ['Model', trace.model === '' ? null : `${trace.model}${trace.tier === '' ? '' : ` (${trace.tier})`}`],
          ['Task', asked && trace.task_type !== '' ? `${trace.task_type}, ${trace.category || 'no category'}` : null],
          ['Confidence', asked && trace.kind !== 'call' ? percent(trace.confidence, 0) : null],
          ['When', moment(trace.started_at, { seconds: true })],
          [trace.kind === 'external' ? 'Sent by' : 'Asked by', <code key="who">{trace.principal}</code>],
          [
            'Release',
            trace.release === '' ? null : (
              <Link key="release" to="/traces" search={{ where: `release = ${trace.release}` }}>
                {trace.release}
              </Link>
            ),
          ],
          ['Corpus version', trace.corpus_version === 0 ? null : count(trace.corpus_version)],
          [
            'Conversation',
            trace.conversation_id === null ? null : (
              <Link key="talk" to="/c/$conversationId" params={{ conversationId: trace.conversation_id }}>
                Open it
              </Link>
            ),
          ],
          [
            'Asked again from',
            trace.rerun_of === null ? null : (
              <Link
                key="first"
                to="/traces/$traceId"
                params={{ traceId: trace.rerun_of }}
                search={{ tab: 'again', with: trace.id }}
              >
                the first trace, side by side
              </Link>
            ),
          ],
          [
            "Below a caller's span",
            trace.parent_span_id === null ? null : <code key="caller">{trace.parent_span_id}</code>,
          ],
        ]}
      />
    </section>
  );
}

function cost(trace: Trace, currency: string): string {
  const isEstimated = trace.spans.some((span) => span.name === 'call' && span.attributes.estimated === true);
  if (trace.cost_micros === null) return 'unknown: a model has no price';
  return `${money(trace.cost_micros, currency)}${isEstimated ? ' (estimated)' : ''}`;
}
