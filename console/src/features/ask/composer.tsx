import { ArrowUp, Square } from 'lucide-react';
import { useLayoutEffect, useRef, useSyncExternalStore, type Ref } from 'react';

import { Button } from '@/ui/button';

import { CollectionFilter } from './collection-filter';
import styles from './ask-page.module.css';
import { draft } from './draft';

const TALLEST = 240;

export interface ComposerProps {
  readonly busy: boolean;
  readonly collections: readonly string[];
  readonly onCollections: (names: readonly string[]) => void;
  readonly onAsk: (question: string) => void;
  readonly onStop: () => void;
  readonly field: Ref<HTMLTextAreaElement> & { current: HTMLTextAreaElement | null };
}

/** Where a question is written: Enter asks, Shift and Enter begin a line; it grows with what is written. */
export function Composer({ busy, collections, onCollections, onAsk, onStop, field }: ComposerProps) {
  const written = useSyncExternalStore(draft.subscribe, draft.get);
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => {
    const area = form.current?.elements.namedItem('question');
    if (!(area instanceof HTMLTextAreaElement)) return;
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight + 2, TALLEST)}px`;
  }, [written]);
  return (
    <form
      ref={form}
      className={styles.composer}
      onSubmit={(event) => {
        event.preventDefault();
        const question = written.trim();
        if (question === '' || busy) return;
        draft.set('');
        onAsk(question);
      }}
    >
      <label htmlFor="question" className="unseen">
        Your question
      </label>
      <textarea
        id="question"
        ref={field}
        rows={1}
        value={written}
        placeholder="Ask a question"
        autoComplete="off"
        onChange={(event) => draft.set(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
            event.preventDefault();
            form.current?.requestSubmit();
          }
        }}
      />
      <div className={styles.controls}>
        <CollectionFilter chosen={collections} onChange={onCollections} />
        {busy ? (
          <Button icon={<Square />} onClick={onStop}>
            Stop
          </Button>
        ) : (
          <Button look="primary" type="submit" icon={<ArrowUp />} disabled={written.trim() === ''}>
            Ask
          </Button>
        )}
      </div>
    </form>
  );
}
