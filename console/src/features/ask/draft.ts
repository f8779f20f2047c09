/** What is being written: it stays in this tab while its writer looks at another page, or is asked for a key. */

const NAME = 'ken-draft';
const listeners = new Set<() => void>();

export const draft = {
  get: (): string => sessionStorage.getItem(NAME) ?? '',
  set: (text: string): void => {
    if (text === '') sessionStorage.removeItem(NAME);
    else sessionStorage.setItem(NAME, text);
    for (const tell of listeners) tell();
  },
  subscribe: (tell: () => void): (() => void) => {
    listeners.add(tell);
    return () => listeners.delete(tell);
  },
};
