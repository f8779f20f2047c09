import { useQuery } from '@tanstack/react-query';

import { apiQuery } from '@/lib/api/client';
import type { Citation } from '@/lib/api/types';

import type { Exchange } from './exchange';

/** An answer that an older Ken kept as its text alone, with the citations of its trace, as long as that is on record. */
export function useRestored(exchange: Exchange): Exchange {
  const { traceId, text, phase } = exchange;
  const isOld = phase === 'bare' && traceId !== null && !/^\(with(held|drawn): /.test(text);
  const trace = useQuery({
    ...apiQuery('/api/traces/{trace_id}', { params: { path: { trace_id: traceId ?? '' } } }),
    enabled: isOld,
    retry: false,
  });
  if (!isOld || trace.data === undefined) return exchange;
  return { ...exchange, citations: trace.data.citations as readonly unknown[] as readonly Citation[] };
}
