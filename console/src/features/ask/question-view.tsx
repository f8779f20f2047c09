import { Pencil } from 'lucide-react';
import { useState } from 'react';

import { Button, IconButton } from '@/ui/button';
import { TextArea } from '@/ui/field';

import styles from './answer.module.css';

export interface QuestionViewProps {
  readonly question: string;
  /** How many questions came after it: they go when it is asked anew. */
  readonly later: number;
  /** Not given where it can't be asked anew. */
  readonly onAsk?: ((question: string) => void) | undefined;
}

/** A question; its pencil opens it to be changed and asked anew in its place. */
export function QuestionView({ question, later, onAsk }: QuestionViewProps) {
  const [draft, setDraft] = useState<string | null>(null);
  if (draft === null) {
    return (
      <div className={styles.question}>
        <h2 dir="auto">{question}</h2>
        {onAsk !== undefined && (
          <IconButton small label="Change and ask anew" onClick={() => setDraft(question)}>
            <Pencil />
          </IconButton>
        )}
      </div>
    );
  }
  const send = () => {
    if (draft.trim() === '' || onAsk === undefined) return;
    setDraft(null);
    onAsk(draft.trim());
  };
  return (
    <form
      className={styles.edit}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <TextArea
        label="The question, changed"
        value={draft}
        rows={Math.min(8, draft.split('\n').length + 1)}
        autoFocus // eslint-disable-line jsx-a11y/no-autofocus -- the pencil was pressed to write here
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') setDraft(null);
          if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
            event.preventDefault();
            send();
          }
        }}
        hint={
          later === 0
            ? 'Its answer is replaced; the trace of the first one stays on record.'
            : `Its answer is replaced, and ${later === 1 ? 'the question' : `${later} questions`} after it; their traces stay on record.`
        }
      />
      <div className={styles.row}>
        <Button look="primary" type="submit" disabled={draft.trim() === '' || onAsk === undefined}>
          Ask
        </Button>
        <Button onClick={() => setDraft(null)}>Cancel</Button>
      </div>
    </form>
  );
}
