import { useState } from 'react';

import { namedIn, otherwiseOf, typeOf, type Schema } from './description';
import { Inline } from './in-words';
import styles from './reference.module.css';

export interface SchemaViewProps {
  readonly name: string;
  readonly schema: Schema;
  readonly schemas: Readonly<Record<string, Schema>>;
}

/** The fields of an object; those that are objects themselves open below. */
export function SchemaView({ name, schema, schemas }: SchemaViewProps) {
  const fields = Object.entries(schema.properties ?? {});
  if (fields.length === 0) {
    return (
      <p className={styles.soft}>
        <code>{typeOf(schema)}</code>
      </p>
    );
  }
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must take the focus
    <div className={styles.wide} role="region" aria-label={`Fields of ${name}`} tabIndex={0}>
      <table className={styles.fields}>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Is</th>
            <th scope="col">
              <span className="unseen">What it is</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {fields.map(([field, each]) => (
            <tr key={field}>
              <td>
                <code>{field}</code>
                {schema.required?.includes(field) !== true && <span className={styles.may}> may be missing</span>}
              </td>
              <td>
                <TypeView schema={each} schemas={schemas} />
              </td>
              <td>
                {each.description !== undefined && <Inline text={each.description} />}
                {otherwiseOf(each) !== null && <span className={styles.soft}> Without it: {otherwiseOf(each)}.</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A type; where it names schemas, they open in place. */
export function TypeView({
  schema,
  schemas,
}: Omit<SchemaViewProps, 'name' | 'schema'> & { readonly schema: Schema | undefined }) {
  const [isOpen, setIsOpen] = useState(false);
  const names = namedIn(schema).filter((name) => name in schemas);
  if (names.length === 0) return <code>{typeOf(schema)}</code>;
  return (
    <details onToggle={(event) => setIsOpen(event.currentTarget.open)} className={styles.type}>
      <summary>
        <code>{typeOf(schema)}</code>
      </summary>
      {isOpen &&
        names.map((name) => {
          const named = schemas[name];
          return named === undefined ? null : (
            <div key={name}>
              {named.description !== undefined && (
                <p className={styles.soft}>
                  <Inline text={named.description} />
                </p>
              )}
              <SchemaView name={name} schema={named} schemas={schemas} />
            </div>
          );
        })}
    </details>
  );
}
