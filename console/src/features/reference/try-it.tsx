import { useMutation } from '@tanstack/react-query';
import { Play } from 'lucide-react';
import { useState } from 'react';

import { send } from '@/lib/api/client';
import { bytes, duration } from '@/lib/format';
import { Button } from '@/ui/button';
import { CopyButton } from '@/ui/copy-button';
import { TextField } from '@/ui/field';

import { addressOf, otherwiseOf, typeOf, type Operation } from './description';
import styles from './reference.module.css';

const MOST_SHOWN = 100_000;

interface Told {
  readonly status: number;
  readonly ms: number;
  readonly type: string;
  readonly text: string;
}

/** Asks a GET with the values that are filled in, as this page's own principal, and shows what comes. */
export function TryIt({ operation }: { readonly operation: Operation }) {
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const asked = operation.parameters.filter(({ in: place }) => place !== 'header');
  const address = addressOf(operation, values);
  const run = useMutation({ mutationFn: () => answerOf(address) });
  const isMissing = asked.some(({ name, required }) => required === true && (values[name] ?? '').trim() === '');
  return (
    <form
      className={styles.try}
      aria-label={`Try ${operation.path}`}
      onSubmit={(event) => {
        event.preventDefault();
        run.mutate();
      }}
    >
      <h3>Try it</h3>
      {asked.length > 0 && (
        <div className={styles.inputs}>
          {asked.map(({ name, required, schema }) => (
            <TextField
              key={name}
              label={required === true ? `${name} (needed)` : name}
              value={values[name] ?? ''}
              placeholder={otherwiseOf(schema) ?? typeOf(schema)}
              spellCheck={false}
              onChange={(event) => setValues({ ...values, [name]: event.target.value })}
            />
          ))}
        </div>
      )}
      <div className={styles.run}>
        <Button type="submit" look="primary" icon={<Play />} busy={run.isPending} disabled={isMissing}>
          Send
        </Button>
        <code className={styles.address}>GET {address}</code>
        <CopyButton label="Copy as curl" text={`curl '${window.location.origin}${address.replaceAll("'", '%27')}'`} />
      </div>
      {run.error !== null && <p role="alert">{run.error.message}</p>}
      {run.data !== undefined && <Outcome told={run.data} />}
    </form>
  );
}

async function answerOf(address: string): Promise<Told> {
  const begun = performance.now();
  const response = await send(new Request(address));
  const text = await response.text();
  return {
    status: response.status,
    ms: performance.now() - begun,
    type: response.headers.get('content-type') ?? '',
    text,
  };
}

function Outcome({ told }: { readonly told: Told }) {
  const text = told.type.includes('json') ? indented(told.text) : told.text;
  return (
    <>
      <p role="status">
        <strong className={told.status < 400 ? styles.fine : styles.failed}>{told.status}</strong> in{' '}
        {duration(told.ms)}, {bytes(new Blob([told.text]).size)} of {told.type === '' ? 'nothing' : told.type}
      </p>
      {text !== '' && (
        <div className={styles.outcome}>
          <CopyButton text={text} label="Copy the answer" />
          {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must take the focus */}
          <pre role="region" aria-label="The answer" tabIndex={0}>
            {text.slice(0, MOST_SHOWN)}
            {text.length > MOST_SHOWN && '\n… and more: copy the answer to have all of it.'}
          </pre>
        </div>
      )}
    </>
  );
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // said to be JSON, and isn't
  }
}
