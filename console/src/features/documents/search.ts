/** What the address of a document's page may say: offsets count code points of the document's text. */
export interface DocumentSearch {
  readonly start?: number;
  readonly end?: number;
  readonly page?: number;
  /** That the offsets are of; another one's can't be marked. */
  readonly version?: string;
}

/** The address of the page, with everything that it can't say left out; `from` and `to` are its older names. */
export function documentSearch(search: Record<string, unknown>): DocumentSearch {
  const start = search.start ?? search.from;
  const end = search.end ?? search.to;
  const { page, version } = search;
  return {
    ...(isOffset(start) && isOffset(end) && end > start ? { start, end } : {}),
    ...(isOffset(page) && page > 0 ? { page } : {}),
    ...(isText(version) ? { version: String(version) } : {}),
  };
}

/** The filters that a search takes. */
export interface PlaygroundFilters {
  readonly collection?: readonly string[];
  readonly owner?: string;
  readonly type?: string;
  readonly modified_from?: string;
  readonly modified_to?: string;
  readonly effective_from?: string;
  readonly effective_to?: string;
}

/** What the address of the search playground may say. */
export interface PlaygroundSearch extends PlaygroundFilters {
  readonly q?: string;
  /** A second question to compare with. */
  readonly with?: string;
  /** The collections that the second one is asked of, where they are others. */
  readonly with_collection?: readonly string[];
  readonly limit?: number;
}

const TEXTS = ['q', 'with', 'owner', 'type', 'modified_from', 'modified_to', 'effective_from', 'effective_to'] as const;
const LISTS = ['collection', 'with_collection'] as const;

/** The address of the page, with everything that it can't say left out. */
export function playgroundSearch(search: Record<string, unknown>): PlaygroundSearch {
  const texts = TEXTS.flatMap((name) => (isText(search[name]) ? [[name, String(search[name])]] : []));
  const lists = LISTS.flatMap((name) => {
    const given = search[name];
    const values = (Array.isArray(given) ? given : [given]).filter(isText).map(String);
    return values.length ? [[name, values]] : [];
  });
  const { limit } = search;
  return {
    ...(Object.fromEntries([...texts, ...lists]) as PlaygroundSearch),
    ...(isOffset(limit) && limit >= 1 && limit <= 50 ? { limit } : {}),
  };
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

/** A text of digits comes out of an address as a number. */
function isText(value: unknown): boolean {
  return (typeof value === 'string' && value !== '') || typeof value === 'number';
}
