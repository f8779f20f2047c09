import { useMutation } from '@tanstack/react-query';

import { api, unwrap } from '@/lib/api/client';
import type { ApiError } from '@/lib/api/error';
import { moment } from '@/lib/format';
import { Confirm } from '@/ui/dialog';
import { toast } from '@/ui/toast';

import type { Snapshot } from './queries';

export interface UseDialogProps {
  /** What is to be served; null while nothing is asked. */
  readonly wanted: Snapshot | 'newest' | null;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

/** By the number that was asked for: a switch has one of its own, of the list alone. */
export function servedWords(now: Pick<Snapshot, 'content'>): string {
  return `The documents of version ${now.content} are served.`;
}

/** Asks before another corpus version is served: every answer changes with it. */
export function UseDialog({ wanted, onClose, onDone }: UseDialogProps) {
  const use = useMutation<Snapshot, ApiError>({
    mutationFn: () =>
      unwrap(
        api.POST('/api/index/use', {
          body: { corpus_version: wanted === 'newest' || wanted === null ? null : wanted.corpus_version },
        }),
      ),
    onSuccess: (now) => {
      toast(servedWords(now));
      onDone();
      onClose();
    },
  });
  return (
    <Confirm
      open={wanted !== null}
      title={wanted === 'newest' ? 'Serve the newest documents?' : `Go back to version ${wanted?.content ?? ''}?`}
      verb={wanted === 'newest' ? 'Serve the newest' : 'Go back'}
      busy={use.isPending}
      error={use.error?.message ?? null}
      onConfirm={() => use.mutate()}
      onClose={() => {
        use.reset();
        onClose();
      }}
    >
      {wanted === 'newest' ? (
        <p>From the next question on, answers come from the newest documents, and from what later syncs bring.</p>
      ) : wanted === null ? null : (
        <>
          <p>
            From the next question on, answers come from the {wanted.documents} documents as they were on{' '}
            {moment(wanted.made_at)}.
          </p>
          <p>
            Syncs go on, but what they bring is not served until you serve the newest again. What was deleted since, and
            who may read what, stays as it is today.
          </p>
        </>
      )}
    </Confirm>
  );
}
