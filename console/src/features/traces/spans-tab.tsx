import { Empty } from '@/ui/states';

import type { TraceTab } from './search';
import type { Trace } from './shapes';
import { SpanPanel } from './span-panel';
import styles from './trace-page.module.css';
import { Waterfall } from './waterfall';

export interface SpansTabProps {
  readonly trace: Trace;
  readonly currency: string;
  readonly selected: string | null;
  readonly onSelect: (spanId: string) => void;
  readonly onTab: (tab: TraceTab) => void;
}

/** The waterfall, and beside it the span that is looked at. */
export function SpansTab({ trace, currency, selected, onSelect, onTab }: SpansTabProps) {
  if (trace.spans.length === 0) {
    return (
      <Empty title="No steps are kept">
        {trace.capture === 'metrics'
          ? 'They went when the trace was thinned.'
          : 'Nothing was recorded below this trace.'}
      </Empty>
    );
  }
  const span = trace.spans.find((each) => each.id === selected) ?? trace.spans[0];
  return (
    <div className={styles.split}>
      <Waterfall spans={trace.spans} selected={span?.id ?? null} onSelect={onSelect} />
      {span !== undefined && (
        <SpanPanel span={span} trace={trace} currency={currency} onSelect={onSelect} onTab={onTab} />
      )}
    </div>
  );
}
