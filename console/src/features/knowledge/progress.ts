import type { Sync } from './queries';

/** How much of a sync is done, from 0 to 1; null while it is still listing. */
export function share(sync: Pick<Sync, 'done' | 'total'>): number | null {
  if (sync.total === null) return null;
  return sync.total === 0 ? 1 : Math.min(1, sync.done / sync.total);
}

/** Milliseconds that a sync will still take at the pace that it had so far; null where that can't be told yet. */
export function leftMs(sync: Pick<Sync, 'done' | 'total' | 'started_at' | 'seen_at'>): number | null {
  if (sync.total === null || sync.done < 1 || sync.seen_at <= sync.started_at) return null;
  return ((sync.seen_at - sync.started_at) / sync.done) * Math.max(0, sync.total - sync.done) * 1000;
}

/** What a sync did, in words, without what it didn't do. */
export function did(sync: Pick<Sync, 'added' | 'changed' | 'deleted' | 'unchanged' | 'failed' | 'skipped'>): string[] {
  const names = ['added', 'changed', 'deleted', 'failed', 'skipped', 'unchanged'] as const;
  return names.filter((name) => sync[name] > 0).map((name) => `${sync[name]} ${name}`);
}
