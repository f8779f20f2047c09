import { useMutation, useQueryClient } from '@tanstack/react-query';

import { api, unwrap } from '@/lib/api/client';
import { plural } from '@/lib/format';
import { Confirm } from '@/ui/dialog';
import { toast } from '@/ui/toast';

import type { CacheEntry } from './types';

/** One answer, those of a category, or all of them (null). */
export type Dropping = { readonly entry: Pick<CacheEntry, 'id' | 'question'> } | { readonly category: string | null };

export interface DropConfirmProps {
  readonly dropping: Dropping | null;
  readonly onClose: () => void;
  /** After it was done. */
  readonly onDropped?: () => void;
}

/** Asks before answers are dropped. */
export function DropConfirm({ dropping, onClose, onDropped }: DropConfirmProps) {
  const client = useQueryClient();
  const drop = useMutation({
    mutationFn: (wanted: Dropping) => dropped(wanted),
    onSuccess: async ({ dropped: number }) => {
      toast(`${plural(number, 'answer')} dropped`);
      onClose();
      onDropped?.();
      await Promise.all(
        ['/api/gateway/cache', '/api/gateway/cache/entries'].map((path) =>
          client.invalidateQueries({ queryKey: [path] }),
        ),
      );
    },
  });
  return (
    <Confirm
      open={dropping !== null}
      title={dropping === null ? '' : titleOf(dropping)}
      verb="Drop"
      busy={drop.isPending}
      error={drop.error?.message ?? null}
      onConfirm={() => {
        if (dropping !== null) drop.mutate(dropping);
      }}
      onClose={() => {
        drop.reset();
        onClose();
      }}
    >
      {dropping !== null && 'entry' in dropping && <p>“{dropping.entry.question}”</p>}
      <p>
        Nobody is given {dropping !== null && 'entry' in dropping ? 'it' : 'one of them'} any more, in any replica. The
        next who asks is answered anew, at the price of a new answer. It can’t be brought back.
      </p>
    </Confirm>
  );
}

function titleOf(dropping: Dropping): string {
  if ('entry' in dropping) return 'Drop this answer?';
  return dropping.category === null ? 'Drop every answer?' : `Drop every answer of ${dropping.category}?`;
}

function dropped(dropping: Dropping) {
  if ('entry' in dropping) {
    return unwrap(api.DELETE('/api/gateway/cache/entries/{entry}', { params: { path: { entry: dropping.entry.id } } }));
  }
  const query = dropping.category === null ? {} : { category: dropping.category };
  return unwrap(api.DELETE('/api/gateway/cache/entries', { params: { query } }));
}
