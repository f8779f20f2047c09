import { ago, day, moment, percent, plural } from '@/lib/format';

import type { CacheFigures, OpenedEntry } from './types';

type Wrong = CacheFigures['false_hits'];

/** The share of hits that documents would have answered otherwise; unknown where none was compared. */
export function wrongInWords(wrong: Wrong): string {
  return wrong.share === null ? 'unknown' : percent(wrong.share);
}

/** What that estimate rests on. */
export function shadowInWords(wrong: Wrong): string {
  if (wrong.compared === 0) return 'no hit was answered anew to compare';
  return `${wrong.different} of ${wrong.compared} made anew were different; 95 % sure: ${percent(wrong.low)} to ${percent(wrong.high)}`;
}

/** Why an answer may be given again, and until when: each a sentence. */
export function whyValid(entry: OpenedEntry, now: number): readonly string[] {
  const { rests_on: resting } = entry;
  const cited = resting.filter((each) => each.cited).length;
  const sentences = [
    resting.length === 0
      ? 'It rests on no document.'
      : `${plural(resting.length, 'document')} ${resting.length === 1 ? 'is' : 'are'} served in the very version that it was made from (${cited === resting.length ? 'all cited' : `${cited} cited, the others read`}): it goes with the first that changes.`,
    entry.expires_at > now
      ? `It is given until ${moment(entry.expires_at)} (${ago(entry.expires_at, now)}).`
      : `Its time was up ${ago(entry.expires_at, now)}: it is given only where a model fails.`,
  ];
  if (entry.valid_from !== null) sentences.push(`Its documents hold like this from ${day(entry.valid_from)} on.`);
  if (entry.valid_before !== null) {
    sentences.push(`On ${day(entry.valid_before)} a document takes effect or is due for review, and it ends.`);
  }
  return sentences;
}
