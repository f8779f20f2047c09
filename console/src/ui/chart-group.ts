import { useCallback, useSyncExternalStore } from 'react';

/** The moment that is looked at in a group of charts: they share it, as they share the axis. */
class Crosshair {
  #at: number | null = null;
  readonly #listeners = new Set<() => void>();

  get at(): number | null {
    return this.#at;
  }

  move(at: number | null): void {
    if (at === this.#at) return;
    this.#at = at;
    for (const listener of this.#listeners) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };
}

/** They live as long as the page: a group is a name of a few that views choose. */
const groups = new Map<string, Crosshair>();

function crosshairOf(group: string): Crosshair {
  let found = groups.get(group);
  if (found === undefined) {
    found = new Crosshair();
    groups.set(group, found);
  }
  return found;
}

/** The moment that is looked at in a group (where a step begins; null: none), and how to move it. */
export function useCrosshair(group: string): readonly [number | null, (at: number | null) => void] {
  const crosshair = crosshairOf(group);
  const at = useSyncExternalStore(crosshair.subscribe, () => crosshair.at);
  const move = useCallback((to: number | null) => crosshair.move(to), [crosshair]);
  return [at, move];
}
