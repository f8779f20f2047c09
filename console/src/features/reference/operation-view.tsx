import { useState } from 'react';

import { classNames } from '@/ui/class-names';

import { otherwiseOf, typeOf, type Operation, type Schema } from './description';
import { InWords, Inline } from './in-words';
import styles from './reference.module.css';
import { TypeView } from './schema-view';
import { TryIt } from './try-it';

export interface OperationViewProps {
  readonly operation: Operation;
  readonly schemas: Readonly<Record<string, Schema>>;
  /** The address of the page names it. */
  readonly isSought: boolean;
}

/** One operation: its line, and opened all of it. */
export function OperationView({ operation, schemas, isSought }: OperationViewProps) {
  const [isOpen, setIsOpen] = useState(isSought);
  // A link on the page itself may name it later.
  const [wasSought, setWasSought] = useState(isSought);
  if (isSought !== wasSought) {
    setWasSought(isSought);
    if (isSought) setIsOpen(true);
  }
  const { id, method, path, summary } = operation;
  return (
    <details
      id={id}
      className={styles.operation}
      open={isOpen}
      onToggle={(event) => setIsOpen(event.currentTarget.open)}
    >
      <summary>
        <span className={classNames(styles.method, styles[method])}>{method.toUpperCase()}</span>
        <code className={styles.path}>{path}</code>
        <span className={styles.summary}>{summary}</span>
      </summary>
      {isOpen && <Body operation={operation} schemas={schemas} />}
    </details>
  );
}

function Body({ operation, schemas }: Omit<OperationViewProps, 'isSought'>) {
  const { id, parameters, body, answers, description, method } = operation;
  return (
    <div className={styles.body}>
      <InWords text={description} />
      <p className={styles.soft}>
        <a href={`#${id}`}>Link to this operation</a>
      </p>
      {parameters.length > 0 && (
        <>
          <h3>Parameters</h3>
          {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must take the focus */}
          <div className={styles.wide} role="region" aria-label="Parameters" tabIndex={0}>
            <table className={styles.fields}>
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">Is</th>
                  <th scope="col">
                    <span className="unseen">What it is</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {parameters.map((each) => (
                  <tr key={`${each.in} ${each.name}`}>
                    <td>
                      <code>{each.name}</code>{' '}
                      <span className={styles.may}>{each.required === true ? `${each.in}, needed` : each.in}</span>
                    </td>
                    <td>
                      <code>{typeOf(each.schema)}</code>
                    </td>
                    <td>
                      <Inline text={each.description ?? ''} />
                      {otherwiseOf(each.schema) !== null && (
                        <span className={styles.soft}> Without it: {otherwiseOf(each.schema)}.</span>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
      {Object.entries(body).map(([type, { schema }]) => (
        <section key={type}>
          <h3>
            Body: <code>{type}</code>
          </h3>
          <TypeView schema={schema} schemas={schemas} />
        </section>
      ))}
      <h3>Answers</h3>
      {answers.map(({ status, description: told, content }) => (
        <section key={status} className={styles.answer}>
          <p>
            <code>{status}</code> {told === 'Successful Response' ? '' : told}
          </p>
          {Object.entries(content).map(([type, { schema }]) => (
            <div key={type}>
              <span className={styles.soft}>{type}</span>
              {schema !== undefined && Object.keys(schema).length > 0 && <TypeView schema={schema} schemas={schemas} />}
            </div>
          ))}
        </section>
      ))}
      {method === 'get' && <TryIt operation={operation} />}
    </div>
  );
}
