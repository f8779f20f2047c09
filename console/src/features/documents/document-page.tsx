import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useLocation } from '@tanstack/react-router';
import { FileQuestion } from 'lucide-react';
import { useEffect } from 'react';

import { apiQuery } from '@/lib/api/client';
import { Page, Panel } from '@/ui/page';
import { Empty, Loaded, Skeleton } from '@/ui/states';

import { DocumentBody } from './document-body';
import { DocumentFacts, Notes, Standing } from './document-facts';
import styles from './document.module.css';
import { KeepButton } from './keep-button';
import type { OpenedDocument, Place } from './place';

const route = getRouteApi('/documents/$');

/** A document by itself, at the passage that its address names. */
export function DocumentPage() {
  const { _splat: id = '' } = route.useParams();
  const search = route.useSearch();
  const hash = useLocation({ select: (location) => location.hash });
  const query = useQuery(apiQuery('/api/documents/{document_id}', { params: { path: { document_id: id } } }));
  const ordinal = /^p(\d+)$/.exec(hash)?.[1];
  const place: Place = {
    start: search.start ?? null,
    end: search.end ?? null,
    page: search.page ?? null,
    version: search.version ?? null,
    ordinal: ordinal === undefined ? null : Number(ordinal),
  };
  if (query.error?.status === 404 && query.data === undefined) return <Missing id={id} />;
  return (
    <Loaded query={query} failed="The document can’t be shown" skeleton={<Waiting />}>
      {(opened) => <Shown key={JSON.stringify([opened.document.version, place])} opened={opened} place={place} />}
    </Loaded>
  );
}

function Shown({ opened, place }: { readonly opened: OpenedDocument; readonly place: Place }) {
  const { document: about } = opened;
  const me = useQuery(apiQuery('/api/me'));
  useEffect(() => {
    document.title = `${about.title} · Ken`;
  }, [about.title]);
  return (
    <Page
      title={
        <span className={styles.title}>
          {about.title} <Standing opened={opened} />
        </span>
      }
      lead={
        <>
          <Link to="/knowledge" search={{ collection: about.collection }}>
            {about.collection}
          </Link>{' '}
          / {about.path}
        </>
      }
      actions={<KeepButton opened={opened} />}
    >
      <Notes opened={opened} place={place} />
      <Panel>
        <details className={styles.about}>
          <summary>About this document{about.owner ? `: ${about.owner}` : ''}</summary>
          <DocumentFacts opened={opened} isOperator={me.data?.is_operator ?? false} />
        </details>
      </Panel>
      <DocumentBody opened={opened} place={place} headingShift={1} />
    </Page>
  );
}

function Missing({ id }: { readonly id: string }) {
  return (
    <Page title="No such document">
      <Empty title={`There is no document “${id}” that you may read`} icon={<FileQuestion />}>
        It was deleted or moved, or it isn’t meant for your groups. <Link to="/search">Search</Link> for what it says,
        or look through <Link to="/knowledge">what there is</Link>.
      </Empty>
    </Page>
  );
}

function Waiting() {
  return (
    <Page title={<span className="unseen">Document</span>}>
      <Skeleton height="3.5rem" />
      <Skeleton lines={14} />
    </Page>
  );
}
