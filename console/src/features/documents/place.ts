import type { Shape } from '@/lib/api/types';

export type OpenedDocument = Shape<'OpenedDocument'>;
export type Passage = Shape<'PassageShape'>;

/** A place in a document that somebody was sent to; offsets count code points of its text. */
export interface Place {
  readonly start: number | null;
  readonly end: number | null;
  readonly page: number | null;
  readonly version: string | null;
  /** Of a passage, from zero. */
  readonly ordinal: number | null;
}

/** What of a place can be shown in the document as it is now. */
export interface Target {
  readonly start: number;
  readonly end: number;
  readonly passage: Passage | null;
  readonly page: number | null;
}

/** The hexadecimal digits of a version that stand for its text: those before name the index, those after who may read it. */
const CONTENT = [16, 48] as const;

/** Whether the document's text is another one than the place was found in. */
export function hasChanged(opened: OpenedDocument, place: Place): boolean {
  const content = (version: string) => version.slice(...CONTENT);
  return place.version !== null && content(place.version) !== content(opened.document.version);
}

/** Where to go in a document; null where to its beginning. */
export function targetOf(opened: OpenedDocument, place: Place): Target | null {
  if (hasChanged(opened, place)) return null;
  const { start, end, page } = place;
  if (start !== null && end !== null && end > start) {
    const passage = opened.passages.findLast((each) => each.start <= start && start < each.end) ?? null;
    return { start, end, passage, page: page ?? passage?.page ?? null };
  }
  const passage = opened.passages.find((each) =>
    place.ordinal === null ? page !== null && each.page === page : each.ordinal === place.ordinal,
  );
  return passage ? { start: passage.start, end: passage.end, passage, page: passage.page } : null;
}

/** Where a link of a document leads: to a document of the same collection; null where it leads nowhere here. */
export function linkedDocument(id: string, collection: string, address: string): { id: string; hash: string } | null {
  const [path = '', hash = ''] = address.split('#');
  if (/^[a-z][a-z0-9+.-]*:/i.test(path) || path.startsWith('//') || !path) return null;
  try {
    const base = new URL(`http://documents/${id.split('/').map(encodeURIComponent).join('/')}`);
    const root = new URL(`http://documents/${encodeURIComponent(collection)}/`);
    const found = decodeURIComponent(
      new URL(path.replace(/^\/+/, ''), path.startsWith('/') ? root : base).pathname.slice(1),
    );
    return found.startsWith(`${collection}/`) ? { id: found, hash } : null;
  } catch {
    return null;
  }
}
