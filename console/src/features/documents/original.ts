import { queryOptions } from '@tanstack/react-query';

import { send } from '@/lib/api/client';
import { errorOf, type ApiError } from '@/lib/api/error';

/** The file that a document was read from. A file of a version never changes, so it is fetched once. */
export function originalQuery(id: string, version: string) {
  return queryOptions<Blob, ApiError>({
    queryKey: ['/api/originals', id, version],
    queryFn: async ({ signal }) => {
      const path = id.split('/').map(encodeURIComponent).join('/');
      const response = await send(new Request(`/api/originals/${path}`, { signal }));
      if (!response.ok) throw errorOf(response, await response.json().catch(() => null));
      return response.blob();
    },
    retry: false,
    staleTime: Infinity,
    gcTime: 60_000,
  });
}

/** Hands a file over to be kept: with a key, a plain link to it would be refused. */
export function keep(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
