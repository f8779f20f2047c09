import { useQueries, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { apiQuery } from '@/lib/api/client';
import { plural } from '@/lib/format';
import { Button } from '@/ui/button';
import { Empty } from '@/ui/states';

import styles from './ask-page.module.css';
import { examplesOf, spread } from './examples';

/** A first visit: what this is, how much there is to ask about, and questions that its own documents answer. */
export function Welcome({ onAsk }: { readonly onAsk: (question: string) => void }) {
  const { data: collections } = useQuery(apiQuery('/api/collections'));
  const total = collections?.reduce((sum, each) => sum + each.documents, 0);
  if (total === 0) {
    return (
      <Empty title="There is nothing to answer from yet" action={<Link to="/knowledge">Add documents</Link>}>
        Put documents in with <code>ken sync FOLDER --collection NAME</code>, or upload some.
      </Empty>
    );
  }
  return (
    <section className={styles.welcome}>
      <h1>What would you like to know?</h1>
      <p className={styles.lead}>
        {total === undefined ? 'Ask in your own words.' : `Ask in your own words, of ${plural(total, 'document')}.`}{' '}
        Every sentence of an answer names the passage that it rests on.
      </p>
      <Examples onAsk={onAsk} />
    </section>
  );
}

function Examples({ onAsk }: { readonly onAsk: (question: string) => void }) {
  const { data } = useQuery(apiQuery('/api/documents', { params: { query: { limit: 60 } } }));
  const opened = useQueries({
    queries: spread(data?.documents ?? []).map((document) =>
      apiQuery('/api/documents/{document_id}', { params: { path: { document_id: document.id } } }),
    ),
  });
  const examples = examplesOf(opened.flatMap((query) => (query.data === undefined ? [] : [query.data])));
  const waits = data === undefined || opened.some((query) => query.isPending);
  return (
    <ul className={styles.examples} aria-label="Examples" aria-busy={waits}>
      {!waits &&
        examples.map((question) => (
          <li key={question}>
            <Button onClick={() => onAsk(question)}>{question}</Button>
          </li>
        ))}
    </ul>
  );
}
