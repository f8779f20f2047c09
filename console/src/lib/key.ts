/** The key that requests are sent with, where this Ken wants one. It stays in this tab and is forgotten with it. */

const NAME = 'ken-key';
const listeners = new Set<() => void>();

/** The key of this tab; null without one. */
export function storedKey(): string | null {
  return sessionStorage.getItem(NAME);
}

/** Send this key from now on; null to send none. */
export function storeKey(key: string | null): void {
  if (key === null) sessionStorage.removeItem(NAME);
  else sessionStorage.setItem(NAME, key);
  for (const tell of listeners) tell();
}

/** Call `tell` whenever the key changes; returns how to stop that. */
export function onKeyChange(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}
