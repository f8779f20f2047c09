export interface AskSearch {
  /** Look only in these collections; none stands for all. */
  readonly collection?: readonly string[];
}

/** What the address of the page may say: `?collection=handbook`, or several. */
export function askSearch(search: Record<string, unknown>): AskSearch {
  const told = search.collection;
  const names = (Array.isArray(told) ? told : [told]).filter((each) => typeof each === 'string' && each !== '');
  return names.length === 0 ? {} : { collection: names as string[] };
}
