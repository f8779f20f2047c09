/** The parts of the page. */
export const TABS = ['collections', 'sources', 'syncs', 'snapshots', 'quality', 'upload'] as const;
export type KnowledgeTab = (typeof TABS)[number];

/** The states of a document of a source, the worst first. */
export const STATES = ['failed', 'waiting', 'held', 'skipped', 'current'] as const;
export type ListingState = (typeof STATES)[number];

/** What the address of the page may say. */
export interface KnowledgeSearch {
  readonly tab?: KnowledgeTab;
  /** The collection whose documents or findings are shown, or that is added to. */
  readonly collection?: string;
  /** The source whose documents or syncs are shown. */
  readonly source?: string;
  readonly state?: ListingState;
  /** Two corpus versions to compare. */
  readonly old?: number;
  readonly new?: number;
  /** Of the comparison: the document whose text is compared. */
  readonly document?: string;
  /** The kind of finding that is shown. */
  readonly kind?: string;
}

/** The address of the page, with everything that it can't say left out. */
export function knowledgeSearch(search: Record<string, unknown>): KnowledgeSearch {
  const { tab, collection, source, state, old, document, kind } = search;
  const later = search.new;
  return {
    ...(TABS.some((each) => each === tab) ? { tab: tab as KnowledgeTab } : {}),
    ...(isName(collection) ? { collection: String(collection) } : {}),
    ...(isName(source) ? { source: String(source) } : {}),
    ...(STATES.some((each) => each === state) ? { state: state as ListingState } : {}),
    ...(isVersion(old) ? { old } : {}),
    ...(isVersion(later) ? { new: later } : {}),
    ...(isName(document) ? { document: String(document) } : {}),
    ...(typeof kind === 'string' ? { kind } : {}),
  };
}

/** A name of digits comes out of an address as a number. */
function isName(value: unknown): boolean {
  return (typeof value === 'string' && value !== '') || typeof value === 'number';
}

function isVersion(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}
