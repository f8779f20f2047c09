import { QueryCache, QueryClient } from '@tanstack/react-query';

import { apiQuery, queryKey } from '@/lib/api/client';
import { ApiError } from '@/lib/api/error';
import { onKeyChange } from '@/lib/key';

const STALE_MS = 15_000;
const TRIES = 2;

/** The cache of what the API told. What is passing is tried again twice; what was refused is not. */
export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      // A key that was revoked meanwhile: the shell asks who we are again, and then for a key.
      if (error instanceof ApiError && error.needsKey && query.queryKey[0] !== '/api/me') {
        void queryClient.invalidateQueries({ queryKey: queryKey('/api/me').slice(0, 1) });
      }
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: STALE_MS,
      refetchOnWindowFocus: false,
      retry: (failures, error) => error instanceof ApiError && error.isPassing && failures < TRIES,
      retryDelay: (attempt, error) =>
        error instanceof ApiError && error.retryAfterS !== null
          ? Math.min(error.retryAfterS * 1000, 10_000)
          : 400 * 2 ** attempt,
    },
  },
});

/** Who asks, and what this Ken is. */
export const meQuery = apiQuery('/api/me');

// Another key is another person: nothing of the last one's may stay on the page.
onKeyChange(() => void queryClient.resetQueries());
