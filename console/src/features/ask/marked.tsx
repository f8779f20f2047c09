import type { ReactNode } from 'react';

/** A text with the words that were searched for marked, wherever they stand. */
export function marked(text: string, words: string): ReactNode {
  const each = words
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  if (each.length === 0) return text;
  return text
    .split(new RegExp(`(${each.join('|')})`, 'giu'))
    .map((part, at) => (at % 2 === 1 ? <mark key={at}>{part}</mark> : part));
}
