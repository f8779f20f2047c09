import type { DocumentInfo, Shape } from '@/lib/api/types';

const MOST = 4;
const LARGEST = 60_000;
const LONGEST = 60;
const HOW = /^how to (.+?)\.?$/i;
const RUNBOOK = /^(runbook|playbook|incident|alert)$/i;
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

/** A question each, made of what the document calls itself and its parts. */
export function examplesOf(documents: readonly Shape<'OpenedDocument'>[]): readonly string[] {
  return [...new Set(documents.map(exampleOf))];
}

/** A heading that asks stands as it is; one that says how to do something asks for it; else the title's own subject. */
function exampleOf({ document, text, passages }: Shape<'OpenedDocument'>): string {
  const headings = passages
    .flatMap((passage) => passage.heading_path.slice(-1))
    .filter((each) => each.length < LONGEST && !GENERAL.test(each.trim()));
  const asked = headings.find((each) => each.endsWith('?'));
  if (asked !== undefined) return asked;
  const told = [document.title, ...headings].map((each) => HOW.exec(each)?.[1]).find((each) => each !== undefined);
  if (told !== undefined) return `How do I ${told}?`;
  const [, kind = '', name = ''] = /^(?:([^:]{1,24}): )?(.+)$/s.exec(document.title.trim()) ?? [];
  if (RUNBOOK.test(kind)) return `What do I do about ${name}?`;
  return `What should I know about ${inSentence(name, text)}?`;
}

/** A title as it is written within a sentence: small where the document itself writes its first word so. */
function inSentence(title: string, text: string): string {
  const [first = ''] = title.split(/\s/, 1);
  const small = first.toLowerCase();
  return ` ${text} `.includes(` ${small} `) ? small + title.slice(first.length) : title;
}
