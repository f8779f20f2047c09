import { useQuery } from '@tanstack/react-query';

import { apiQuery } from '@/lib/api/client';
import { useNow } from '@/ui/use-now';

const CALM_MS = 5000;
const TENSE_MS = 2000;

/** Models, tiers and breakers as they stand; looked at again every few seconds, sooner while a breaker isn't closed. */
export function useModels() {
  return useQuery({
    ...apiQuery('/api/gateway/models'),
    refetchInterval: (query) =>
      query.state.data?.models.some(({ breaker }) => breaker !== null && breaker.state !== 'closed') === true
        ? TENSE_MS
        : CALM_MS,
  });
}

/** The present moment by the server's clock, in seconds: it says when it probes, and this machine's may be off. */
export function useServerNow(): number {
  const models = useModels();
  const now = useNow(1000);
  return models.data === undefined ? now : now - (models.dataUpdatedAt / 1000 - models.data.at);
}

/** The last changes of breakers. */
export function useHealth() {
  return useQuery({ ...apiQuery('/api/gateway/health'), refetchInterval: CALM_MS });
}

/** How far each budget is used up. */
export function useBudgets() {
  return useQuery({ ...apiQuery('/api/gateway/budgets'), refetchInterval: CALM_MS });
}
