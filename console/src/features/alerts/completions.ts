const MOST = 6;
const WORD = /[a-z_][\w.]*$/;

interface Named {
  readonly name: string;
  readonly meaning: string;
}

/** Figures whose names have in them what is being written before the caret, those that begin with it first. */
export function completions<T extends Named>(text: string, caret: number, figures: readonly T[]): readonly T[] {
  const word = WORD.exec(text.slice(0, caret))?.[0] ?? '';
  if (word.length < 2) return [];
  const begin = figures.filter(({ name }) => name.startsWith(word));
  const within = figures.filter(({ name }) => !name.startsWith(word) && name.includes(word));
  const found = [...begin, ...within].slice(0, MOST);
  return found.length === 1 && found[0]?.name === word ? [] : found;
}

/** The text with the word before the caret replaced, and where the caret stands then. */
export function completed(
  text: string,
  caret: number,
  name: string,
): { readonly text: string; readonly caret: number } {
  const before = text.slice(0, caret).replace(WORD, '') + name;
  const rest = text.slice(caret).replace(/^[\w.]+/, '');
  return { text: before + rest, caret: before.length };
}
