import { useQuery } from '@tanstack/react-query';

import { apiQuery } from '@/lib/api/client';
import type { Shape } from '@/lib/api/types';

export type Source = Shape<'SourceShape'>;
export type Sync = Shape<'SyncShape'>;
export type Listing = Shape<'ListingShape'>;
export type Snapshot = Shape<'SnapshotShape'>;
export type Quality = Shape<'QualityShape'>;
export type Finding = Shape<'FindingShape'>;

/** The kind of the sources whose documents were sent here. */
export const UPLOADS = 'uploads';

const SYNCS = 50;

/** Who asks; the shell has asked before. */
export function useIsOperator(): boolean {
  return useQuery(apiQuery('/api/me')).data?.is_operator === true;
}

/** The collections that one may read. */
export function useCollections() {
  return useQuery(apiQuery('/api/collections'));
}

/** Where documents come from; for operators. */
export function useSources(enabled = true) {
  return useQuery({ ...apiQuery('/api/sources'), enabled });
}

/** The last syncs, of one source or of all; for operators. */
export function useSyncs(source?: string, enabled = true) {
  const query = source === undefined ? { limit: SYNCS } : { limit: SYNCS, source };
  return useQuery({ ...apiQuery('/api/syncs', { params: { query } }), enabled });
}

/** The corpus versions that can be used; for operators. */
export function useSnapshots(enabled = true) {
  return useQuery({ ...apiQuery('/api/index'), enabled });
}

/** The snapshot that is served, and whether a newer one is held back. */
export function served(snapshots: readonly Snapshot[]): {
  readonly inUse: Snapshot | undefined;
  readonly isOld: boolean;
} {
  const inUse = snapshots.find((each) => each.is_in_use);
  const newest = Math.max(0, ...snapshots.map((each) => each.content));
  return { inUse, isOld: inUse !== undefined && inUse.content < newest };
}
