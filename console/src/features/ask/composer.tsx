import { ArrowUp, Square } from 'lucide-react';
import { useLayoutEffect, useRef, useState, type Ref } from 'react';

import { Button } from '@/ui/button';

import { CollectionFilter } from './collection-filter';
import styles from './ask-page.module.css';

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
  const [draft, setDraft] = useState('');
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => {
    const area = form.current?.elements.namedItem('question');
    if (!(area instanceof HTMLTextAreaElement)) return;
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight + 2, TALLEST)}px`;
  }, [draft]);
  return (
    <form
      ref={form}
      className={styles.composer}
      onSubmit={(event) => {
        event.preventDefault();
        const question = draft.trim();
        if (question === '' || busy) return;
        setDraft('');
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
        value={draft}
        placeholder="Ask a question"
        autoComplete="off"
        onChange={(event) => setDraft(event.target.value)}
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
          <Button look="primary" type="submit" icon={<ArrowUp />} disabled={draft.trim() === ''}>
            Ask
          </Button>
        )}
      </div>
    </form>
  );
}
