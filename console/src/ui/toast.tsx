import { X } from 'lucide-react';
import { useSyncExternalStore } from 'react';

import { IconButton } from './button';
import styles from './toast.module.css';

interface Shown {
  readonly id: number;
  readonly text: string;
  readonly tone: 'good' | 'fault';
}

const STAYS_MS = 6000;
let shown: readonly Shown[] = [];
let last = 0;
const listeners = new Set<() => void>();

/** Say in passing that something was done; what failed belongs beside what was tried, and here only where that is gone. */
export function toast(text: string, tone: Shown['tone'] = 'good'): void {
  last += 1;
  const id = last;
  change([...shown, { id, text, tone }]);
  setTimeout(() => drop(id), STAYS_MS);
}

/** Where toasts appear; once, in the shell. */
export function Toasts() {
  const all = useSyncExternalStore(subscribe, () => shown);
  return (
    <div role="status" aria-live="polite" className={styles.toasts}>
      {all.map((each) => (
        <div key={each.id} className={styles.toast} data-tone={each.tone}>
          <span>{each.text}</span>
          <IconButton label="Dismiss" small onClick={() => drop(each.id)}>
            <X />
          </IconButton>
        </div>
      ))}
    </div>
  );
}

function drop(id: number): void {
  change(shown.filter((each) => each.id !== id));
}

function change(next: readonly Shown[]): void {
  shown = next;
  for (const tell of listeners) tell();
}

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}
