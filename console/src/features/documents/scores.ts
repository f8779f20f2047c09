import type { Shape } from '@/lib/api/types';

export type Found = Shape<'Found'>;

/** One part of why a passage stands where it does. */
export interface ScorePart {
  readonly name: string;
  /** What it means, in a sentence. */
  readonly meaning: string;
  readonly value: number;
  /** As it is written. */
  readonly told: string;
  /** Of the best of all passages found, 0 to 1: how long its bar is. */
  readonly share: number;
  /** Its place in the list that is ordered by this part; null where it isn't in that list. */
  readonly rank: number | null;
}

interface Measure {
  readonly name: string;
  readonly meaning: string;
  readonly list: string | null;
  readonly digits: number;
  readonly of: (found: Found) => number | null;
}

const MEASURES: readonly Measure[] = [
  {
    name: 'Words',
    meaning: 'BM25: the question’s words that the passage holds, rare ones counting for more.',
    list: 'lexical',
    digits: 2,
    of: (found) => found.lexical,
  },
  {
    name: 'Meaning',
    meaning: 'The cosine of the question’s vector and the nearest one of the passage: 1 says the same.',
    list: 'dense',
    digits: 3,
    of: (found) => found.dense,
  },
  {
    name: 'Best sentence',
    meaning: 'The cosine of the nearest one of its sentences.',
    list: 'sentence',
    digits: 3,
    of: (found) => found.reasons?.sentence ?? null,
  },
  {
    name: 'Word by word',
    meaning: 'Late interaction: how near each of the question’s words comes to its nearest word in the passage.',
    list: null,
    digits: 3,
    of: (found) => found.reasons?.interaction ?? null,
  },
  {
    name: 'Coverage',
    meaning:
      'The share of the question’s words that the passage, its headings or its title hold, rare ones counting for more.',
    list: null,
    digits: 2,
    of: (found) => found.coverage,
  },
  {
    name: 'Fused',
    meaning: 'The lists above made into one.',
    list: null,
    digits: 4,
    of: (found) => found.fused,
  },
  {
    name: 'Reranker',
    meaning: 'What a model said that read question and passage together.',
    list: null,
    digits: 3,
    of: (found) => found.reasons?.rerank ?? null,
  },
];

/** Why a passage stands where it does, part by part; parts that nothing was measured for are left out. */
export function partsOf(found: Found, among: readonly Found[]): readonly ScorePart[] {
  const ranks: Partial<Record<string, number>> = found.reasons?.ranks ?? {};
  return MEASURES.flatMap((measure) => {
    const value = measure.of(found);
    if (value === null) return [];
    const best = Math.max(...among.map((each) => measure.of(each) ?? 0));
    return [
      {
        name: measure.name,
        meaning: measure.meaning,
        value,
        told: value.toFixed(measure.digits),
        share: best > 0 ? Math.min(1, Math.max(0, value / best)) : 0,
        rank: measure.list === null ? null : (ranks[measure.list] ?? null),
      },
    ];
  });
}

/** How a passage's place changed from one search to another. */
export type Move = 'new' | 'same' | { readonly by: number };

/** Where each passage of one search stands in comparison with another. */
export function movesOf(found: readonly Found[], before: readonly Found[]): ReadonlyMap<string, Move> {
  const places = new Map(before.map((each, index) => [each.passage.id, index]));
  return new Map(
    found.map((each, index): [string, Move] => {
      const was = places.get(each.passage.id);
      if (was === undefined) return [each.passage.id, 'new'];
      return [each.passage.id, was === index ? 'same' : { by: was - index }];
    }),
  );
}
