import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';

import { apiQuery } from '@/lib/api/client';
import { TextArea } from '@/ui/field';

import styles from './expression-field.module.css';
import { completed, completions } from './completions';
import type { Checked } from './shapes';

type FieldFault = Checked['faults'][number];

export interface ExpressionFieldProps {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly value: string;
  readonly fault: FieldFault | undefined;
  readonly onChange: (value: string) => void;
}

/** An expression on figures: names are completed while they are typed, and what is wrong is shown at its place. */
export function ExpressionField({ label, hint, value, fault, onChange }: ExpressionFieldProps) {
  const figures = useQuery({ ...apiQuery('/api/figures/names'), staleTime: Infinity }).data ?? [];
  const [caret, setCaret] = useState<number | null>(null);
  const input = useRef<HTMLTextAreaElement>(null);
  const found = caret === null ? [] : completions(value, caret, figures);
  const take = (name: string) => {
    const next = completed(value, caret ?? value.length, name);
    onChange(next.text);
    setCaret(null);
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(next.caret, next.caret);
    });
  };
  return (
    <div className={styles.field}>
      <TextArea
        ref={input}
        label={label}
        hint={hint}
        error={fault === undefined ? null : told(fault)}
        rows={2}
        spellCheck={false}
        autoCapitalize="none"
        className={styles.text}
        value={value}
        onChange={(event) => {
          onChange(event.target.value);
          setCaret(event.target.selectionStart);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') setCaret(null);
        }}
      />
      {fault?.at != null && <Place text={value} at={fault.at} />}
      {found.length > 0 && (
        <ul className={styles.names} aria-label={`Figures that begin like this, for ${label}`}>
          {found.map(({ name, meaning }) => (
            <li key={name}>
              <button type="button" title={meaning} className={styles.name} onClick={() => take(name)}>
                {name}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function told({ what, at }: FieldFault): string {
  return at === null ? what : `At character ${at + 1}: ${what}`;
}

/** The text again with its faulty word marked; the message says where that is. */
function Place({ text, at }: { readonly text: string; readonly at: number }) {
  const word = /^[\w.]+|^./su.exec(text.slice(at))?.[0] ?? '';
  return (
    <pre className={styles.place} aria-hidden="true">
      {text.slice(0, at)}
      <mark>{word === '' ? ' ' : word}</mark>
      {text.slice(at + word.length)}
    </pre>
  );
}
