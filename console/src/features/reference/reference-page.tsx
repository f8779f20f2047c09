import { useQuery } from '@tanstack/react-query';
import { useLocation } from '@tanstack/react-router';
import { SearchX } from 'lucide-react';
import { useDeferredValue, useEffect, useMemo, useState } from 'react';

import { send } from '@/lib/api/client';
import { errorOf, type ApiError } from '@/lib/api/error';
import { plural } from '@/lib/format';
import { TextField } from '@/ui/field';
import { Page } from '@/ui/page';
import { Empty, Loaded, Skeleton } from '@/ui/states';

import { byTag, found, read, type Description } from './description';
import { OperationView } from './operation-view';
import styles from './reference.module.css';
import { SchemaView } from './schema-view';

async function described(signal: AbortSignal): Promise<Description> {
  const response = await send(new Request('/openapi.json', { signal }));
  const body: unknown = await response.json();
  if (!response.ok) throw errorOf(response, body);
  return read(body as Parameters<typeof read>[0]);
}

/** The API's reference, made from what Ken says of itself in /openapi.json. */
export function ReferencePage() {
  const query = useQuery<Description, ApiError>({
    queryKey: ['/openapi.json'],
    queryFn: ({ signal }) => described(signal),
    staleTime: Infinity,
  });
  return (
    <Page
      title="API reference"
      lead={
        <>
          Made from <a href="/openapi.json">/openapi.json</a>. Every path but the health checks takes{' '}
          <code>Authorization: Bearer ken-…</code>; from this machine itself none is needed.
        </>
      }
    >
      <Loaded query={query} failed="The description can't be read" skeleton={<Skeleton height="70vh" />}>
        {(description) => <Reference description={description} />}
      </Loaded>
    </Page>
  );
}

function Reference({ description }: { readonly description: Description }) {
  const [sought, setSought] = useState('');
  const wanted = useDeferredValue(sought);
  const shown = useMemo(() => byTag(found(description.operations, wanted)), [description, wanted]);
  const count = shown.reduce((sum, [, operations]) => sum + operations.length, 0);
  const hash = useLocation({ select: (location) => location.hash });
  useEffect(() => {
    if (hash !== '') document.getElementById(hash)?.scrollIntoView();
  }, [hash]);
  return (
    <div className={styles.columns}>
      <nav aria-label="Operations" className={styles.contents}>
        <TextField
          label="Find an operation"
          labelHidden
          type="search"
          placeholder="Find an operation"
          value={sought}
          onChange={(event) => setSought(event.target.value)}
        />
        <p role="status" className={styles.count}>
          {plural(count, 'operation')}
        </p>
        <ul className={styles.tags}>
          {shown.map(([tag, operations]) => (
            <li key={tag}>
              <a href={`#${tagId(tag)}`}>{capital(tag)}</a> <span className={styles.soft}>{operations.length}</span>
            </li>
          ))}
          {wanted === '' && (
            <li>
              <a href="#schemas">Schemas</a>{' '}
              <span className={styles.soft}>{Object.keys(description.schemas).length}</span>
            </li>
          )}
        </ul>
      </nav>
      <div className={styles.operations}>
        {count === 0 && (
          <Empty title={`Nothing speaks of “${wanted}”`} icon={<SearchX />}>
            Paths, what operations are for, and the names of their parameters are looked through.
          </Empty>
        )}
        {shown.map(([tag, operations]) => (
          <section key={tag} aria-labelledby={tagId(tag)}>
            <h2 id={tagId(tag)} className={styles.tag}>
              {capital(tag)}
            </h2>
            {operations.map((operation) => (
              <OperationView
                key={operation.id}
                operation={operation}
                schemas={description.schemas}
                isSought={operation.id === hash}
              />
            ))}
          </section>
        ))}
        {wanted === '' && <Schemas description={description} hash={hash} />}
      </div>
    </div>
  );
}

function Schemas({ description, hash }: { readonly description: Description; readonly hash: string }) {
  return (
    <section aria-labelledby="schemas">
      <h2 id="schemas" className={styles.tag}>
        Schemas
      </h2>
      {Object.entries(description.schemas)
        .filter(([name]) => !name.includes('ValidationError'))
        .map(([name, schema]) => (
          <details key={name} id={name} open={hash === name ? true : undefined} className={styles.schema}>
            <summary>
              <code>{name}</code> <span className={styles.soft}>{schema.description}</span>
            </summary>
            <SchemaView name={name} schema={schema} schemas={description.schemas} />
          </details>
        ))}
    </section>
  );
}

function tagId(tag: string): string {
  return `tag-${tag.replaceAll(/\W+/g, '-')}`;
}

function capital(tag: string): string {
  return tag.slice(0, 1).toUpperCase() + tag.slice(1);
}
