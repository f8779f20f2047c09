import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Maximize2, X } from 'lucide-react';

import { apiQuery } from '@/lib/api/client';
import { IconButton } from '@/ui/button';
import { Empty, Loaded, Skeleton } from '@/ui/states';

import { DocumentBody } from './document-body';
import { DocumentFacts, Notes, Standing } from './document-facts';
import styles from './document.module.css';
import type { Place } from './place';

export interface DocumentPanelProps {
  readonly documentId: string;
  /** The passage to show: code points of the document's text. */
  readonly start: number;
  readonly end: number;
  readonly page: number | null;
  /** The version that the offsets are of; without it they are taken to be of the one that is shown. */
  readonly version?: string | null;
  readonly onClose: () => void;
}

/** A document beside a conversation, at a passage. */
export function DocumentPanel({ documentId, start, end, page, version = null, onClose }: DocumentPanelProps) {
  const query = useQuery(apiQuery('/api/documents/{document_id}', { params: { path: { document_id: documentId } } }));
  const me = useQuery(apiQuery('/api/me'));
  const place: Place = { start, end, page, version, ordinal: null };
  const search = {
    ...(end > start ? { start, end } : {}),
    ...(page === null ? {} : { page }),
    ...(version === null ? {} : { version }),
  };
  return (
    <section className={styles.panel} aria-label="Document">
      <header className={styles.panelHead}>
        <h2>
          <Link to="/documents/$" params={{ _splat: documentId }} search={search} title="Open as a page of its own">
            {query.data?.document.title ?? documentId} <Maximize2 size={14} aria-hidden="true" />
          </Link>
        </h2>
        {query.data && <Standing opened={query.data} />}
        <IconButton label="Close the document" onClick={onClose}>
          <X />
        </IconButton>
      </header>
      {query.error?.status === 404 && query.data === undefined ? (
        <Empty title="This document is no longer there, or not for you to read" />
      ) : (
        <Loaded query={query} failed="The document can’t be shown" skeleton={<Skeleton lines={12} />}>
          {(opened) => (
            <>
              <Notes opened={opened} place={place} />
              <details className={styles.about}>
                <summary>{[opened.document.collection, opened.document.owner].filter(Boolean).join(' · ')}</summary>
                <DocumentFacts opened={opened} isOperator={me.data?.is_operator ?? false} />
              </details>
              <DocumentBody
                key={`${opened.document.version} ${start} ${end} ${page}`}
                opened={opened}
                place={place}
                isNarrow
                headingShift={2}
              />
            </>
          )}
        </Loaded>
      )}
    </section>
  );
}
