import { textOf, type Trace } from './shapes';

/** A passage that was found for a question, and what became of it. */
export interface Used {
  readonly rank: number;
  readonly passageId: string;
  readonly documentId: string;
  readonly relevance: number;
  /** Null of what was left out: its figures are not on record. */
  readonly lexical: number | null;
  readonly dense: number | null;
  readonly use: 'cited' | 'given' | 'left out';
  /** The address of it in its document. */
  readonly place: { readonly start?: number; readonly end?: number; readonly version?: string };
}

/** What was given to the model, in its order, and then what found no room. */
export function passagesOf(trace: Trace): readonly Used[] {
  const given = trace.evidence.map((each, index): Used => {
    const cited = trace.citations.find((citation) => citation.passage_id === each.passage_id);
    return {
      rank: index + 1,
      passageId: each.passage_id,
      documentId: each.document_id,
      relevance: each.relevance,
      lexical: each.lexical,
      dense: each.dense,
      use: each.cited ? 'cited' : 'given',
      place: { version: each.version, ...(cited === undefined ? {} : { start: cited.start, end: cited.end }) },
    };
  });
  const known = new Set(given.map((each) => each.passageId));
  const out = leftOut(trace).filter((each) => !known.has(each.passage_id));
  return [
    ...given,
    ...out.map((each, index): Used => ({
      rank: given.length + index + 1,
      passageId: each.passage_id,
      documentId: each.document_id,
      relevance: each.relevance,
      lexical: null,
      dense: null,
      use: 'left out',
      place: {},
    })),
  ];
}

interface LeftOut {
  readonly passage_id: string;
  readonly document_id: string;
  readonly relevance: number;
}

function leftOut(trace: Trace): readonly LeftOut[] {
  const told = trace.spans.map((span) => textOf(span, 'left_out_passages')).findLast((text) => text !== '');
  if (told === undefined) return [];
  try {
    return JSON.parse(told) as readonly LeftOut[]; // as src/ken/assistant/noted.py writes it
  } catch {
    return [];
  }
}
