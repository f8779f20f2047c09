import { ChevronDown, ChevronUp } from 'lucide-react';

import { IconButton } from '@/ui/button';
import { TextField } from '@/ui/field';

import styles from './document.module.css';

interface FindBarProps {
  readonly query: string;
  readonly found: number;
  /** Of those found, from zero. */
  readonly current: number;
  readonly onQuery: (query: string) => void;
  readonly onStep: (step: 1 | -1) => void;
}

/** Finds words in the document; Enter goes on to the next place, Shift+Enter back. */
export function FindBar({ query, found, current, onQuery, onStep }: FindBarProps) {
  const told = query.trim() === '' ? '' : found === 0 ? 'Nothing found' : `${current + 1} of ${found}`;
  return (
    <div className={styles.find} role="search" aria-label="In this document">
      <TextField
        type="search"
        label="Find in this document"
        labelHidden
        placeholder="Find in this document"
        value={query}
        onChange={(event) => onQuery(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onStep(event.shiftKey ? -1 : 1);
          if (event.key === 'Escape' && query) {
            event.stopPropagation();
            onQuery('');
          }
        }}
      />
      <span className={styles.found} role="status">
        {told}
      </span>
      <IconButton label="The place before" disabled={found === 0} onClick={() => onStep(-1)}>
        <ChevronUp />
      </IconButton>
      <IconButton label="The next place" disabled={found === 0} onClick={() => onStep(1)}>
        <ChevronDown />
      </IconButton>
    </div>
  );
}
