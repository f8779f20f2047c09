import type { DocumentInfo, Shape } from '@/lib/api/types';

const MOST = 4;
const LARGEST = 60_000;
const GENERAL =
  /^(introduction|overview|contents|table of contents|summary|purpose|scope|background|notes?|see also|references|appendix.*|changelog|faq)$/i;

/** A few documents from all over a list: one of a folder before a second one of it, none that is large to read. */
export function spread(documents: readonly DocumentInfo[]): readonly DocumentInfo[] {
  const fit = documents.filter((each) => each.characters < LARGEST && each.superseded_by === null);
  const folders = new Map<string, DocumentInfo[]>();
  for (const each of fit) {
    const folder = each.id.slice(0, each.id.lastIndexOf('/'));
    folders.set(folder, [...(folders.get(folder) ?? []), each]);
  }
  const chosen: DocumentInfo[] = [];
  for (let round = 0; chosen.length < MOST && round < fit.length; round += 1) {
    for (const own of folders.values()) {
      const document = own[round];
      if (document !== undefined && chosen.length < MOST) chosen.push(document);
    }
  }
  return chosen;
}

/** A question each, made from a heading of the document: as it stands where it is one. */
export function examplesOf(documents: readonly Shape<'OpenedDocument'>[]): readonly string[] {
  return [...new Set(documents.map(exampleOf))];
}

function exampleOf({ document, passages }: Shape<'OpenedDocument'>): string {
  const headings = passages
    .flatMap((passage) => passage.heading_path.slice(-1))
    .filter((each) => each !== document.title);
  const asked = headings.find((each) => each.endsWith('?'));
  if (asked !== undefined) return asked;
  const heading = headings.find((each) => !GENERAL.test(each.trim()) && each.length < 60);
  return heading === undefined
    ? `What is “${document.title}” about?`
    : `What does “${document.title}” say about “${heading}”?`;
}
