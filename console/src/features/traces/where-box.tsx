import { Search, X } from 'lucide-react';
import { useId, useRef, useState, type KeyboardEvent } from 'react';

import { Button, IconButton } from '@/ui/button';
import { classNames } from '@/ui/class-names';

import { complete, completed, faultyPlace, type Suggestion } from './completion';
import type { TraceName } from './shapes';
import styles from './where-box.module.css';

export interface WhereBoxProps {
  /** The filter in force. */
  readonly value: string;
  readonly names: readonly TraceName[];
  /** What the server says is wrong with the filter in force. */
  readonly error: string | null;
  readonly onApply: (where: string) => void;
}

/** The filter's line: names, signs and values are proposed as it is written; Enter applies it. */
export function WhereBox({ value, names, error, onApply }: WhereBoxProps) {
  const [text, setText] = useState(value);
  const [applied, setApplied] = useState(value);
  const [caret, setCaret] = useState(value.length);
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  // The address changed under us: Back, a link, a chip.
  if (applied !== value) {
    setApplied(value);
    setText(value);
  }
  const completion = complete(text, caret, names);
  const suggestions = open ? completion.suggestions : [];
  const fault = error !== null && text === value ? faultyPlace(error, text) : null;

  const take = (suggestion: Suggestion) => {
    const next = completed(text, completion, suggestion);
    setText(next.text);
    setCaret(next.caret);
    setChosen(-1);
    requestAnimationFrame(() => input.current?.setSelectionRange(next.caret, next.caret));
  };
  const apply = (where: string) => {
    setOpen(false);
    setText(where);
    setApplied(where);
    onApply(where);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    const picked = suggestions[chosen];
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (!open) setOpen(true);
      const last = completion.suggestions.length - 1;
      setChosen((now) => (event.key === 'ArrowDown' ? (now >= last ? 0 : now + 1) : now <= 0 ? last : now - 1));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (picked === undefined) apply(text.trim());
      else take(picked);
    } else if (event.key === 'Tab' && picked !== undefined && !event.shiftKey) {
      event.preventDefault();
      take(picked);
    } else if (event.key === 'Escape' && open) {
      event.preventDefault();
      setOpen(false);
      setChosen(-1);
    }
  };
  return (
    <form
      className={styles.box}
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        apply(text.trim());
      }}
    >
      <div className={classNames(styles.line, error !== null && styles.wrong)}>
        <Search aria-hidden="true" className={styles.icon} />
        <input
          ref={input}
          type="text"
          role="combobox"
          aria-label="Filter traces"
          aria-autocomplete="list"
          aria-expanded={suggestions.length > 0}
          aria-controls={`${id}-list`}
          aria-activedescendant={suggestions[chosen] === undefined ? undefined : `${id}-${chosen}`}
          aria-invalid={error !== null}
          aria-describedby={error === null ? undefined : `${id}-error`}
          className={styles.input}
          value={text}
          placeholder="ms > 2s and outcome = answered"
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          onChange={(event) => {
            setText(event.target.value);
            setCaret(event.target.selectionStart ?? event.target.value.length);
            setOpen(true);
            setChosen(-1);
          }}
          onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
          onFocus={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          onKeyDown={onKeyDown}
        />
        {text !== '' && (
          <IconButton label="Clear the filter" small onClick={() => apply('')}>
            <X />
          </IconButton>
        )}
        <Button type="submit" small>
          Filter
        </Button>
      </div>
      <Suggestions id={id} all={suggestions} chosen={chosen} onTake={take} />
      {error !== null && <Wrong id={`${id}-error`} error={error} text={text} place={fault} names={names} />}
    </form>
  );
}

interface SuggestionsProps {
  readonly id: string;
  readonly all: readonly Suggestion[];
  readonly chosen: number;
  readonly onTake: (suggestion: Suggestion) => void;
}

function Suggestions({ id, all, chosen, onTake }: SuggestionsProps) {
  return (
    <div id={`${id}-list`} role="listbox" aria-label="Suggestions" className={styles.list} hidden={all.length === 0}>
      {all.map((each, index) => (
        <div
          key={each.text}
          id={`${id}-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === chosen}
          className={styles.choice}
          // Before the field loses the focus, and with it the list.
          onPointerDown={(event) => {
            event.preventDefault();
            onTake(each);
          }}
        >
          <code>{each.text}</code>
          <span>{each.about}</span>
        </div>
      ))}
    </div>
  );
}

interface WrongProps {
  readonly id: string;
  readonly error: string;
  readonly text: string;
  readonly place: readonly [number, number] | null;
  readonly names: readonly TraceName[];
}

/** What the server says where it has no name to propose: who reads this here has no file of that name. */
const ELSEWHERE = ' docs/guides/tracing.md lists the names.';

/** What is wrong with a filter, and where. */
function Wrong({ id, error, text, place, names }: WrongProps) {
  return (
    <div id={id} role="alert" className={styles.error}>
      {place !== null && (
        <code className={styles.place} aria-hidden="true">
          {text.slice(0, place[0])}
          <mark>{text.slice(place[0], place[1]) || ' '}</mark>
          {text.slice(place[1])}
        </code>
      )}
      <p>{error.replace(ELSEWHERE, '')}</p>
      {error.includes(ELSEWHERE) && (
        <details>
          <summary>Names that there are</summary>
          <p>{names.map(({ name }) => name).join(', ')}</p>
        </details>
      )}
    </div>
  );
}
