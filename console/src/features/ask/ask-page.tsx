import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { ArrowDown, PanelLeft, Share2 } from 'lucide-react';
import { lazy, Suspense, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';

import { apiQuery } from '@/lib/api/client';
import { Button, IconButton } from '@/ui/button';
import { classNames } from '@/ui/class-names';
import { Fault, Skeleton } from '@/ui/states';

import type { Place } from './answer-view';
import styles from './ask-page.module.css';
import { Composer } from './composer';
import { DocumentAside } from './document-aside';
import type { DocumentSlot } from './document-slot';
import { ExchangeView } from './exchange-view';
import { useFollow } from './follow';
import { History } from './history';
import { askSearch } from './search';
import { sessions, type Asked, type Session } from './session';
import { spoken } from './spoken';
import { Welcome } from './welcome';

const ShareDialog = lazy(() => import('./share-dialog').then((module) => ({ default: module.ShareDialog })));

export interface AskPageProps {
  /** null: a new one. */
  readonly conversationId: string | null;
  readonly DocumentPanel: DocumentSlot;
}

/** Ask, read, look back. */
export function AskPage({ conversationId, DocumentPanel }: AskPageProps) {
  const [place, setPlace] = useState<Place | null>(null);
  const [isOpen, setIsOpen] = useState(false);
  const [shares, setShares] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const content = useRef<HTMLOListElement>(null);
  const navigate = useNavigate();
  const cache = useQueryClient();
  const { data: me } = useQuery(apiQuery('/api/me'));
  const { collection = [] } = askSearch(useSearch({ strict: false }));
  const [renewed, setRenewed] = useState(0);
  const session = useSession(conversationId, renewed);
  const state = useSyncExternalStore(session.subscribe, session.snapshot);
  const { atEnd, toEnd } = useFollow(content);
  const { exchanges } = state;
  const busy = exchanges.at(-1)?.phase === 'running';

  useEffect(() => field.current?.focus({ preventScroll: true }), [conversationId]);

  const ask = (asked: Omit<Asked, 'collections'>) => {
    void session.ask({ ...asked, collections: collection }).finally(() => {
      void cache.invalidateQueries({ queryKey: ['/api/conversations'] });
    });
    field.current?.focus({ preventScroll: true });
  };
  const lastKey = exchanges.at(-1)?.key;
  useEffect(() => {
    if (busy) toEnd(); // what was just asked comes into view
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once a question: its reader may scroll away while it is answered
  }, [lastKey]);
  const renew = () => {
    sessions.renew();
    setRenewed(renewed + 1);
    setPlace(null);
    setIsOpen(false);
    void navigate({ to: '/', search: askSearch });
    field.current?.focus();
  };

  return (
    <div className={classNames(styles.page, place !== null && styles.beside)}>
      <History current={state.conversationId} isOpen={isOpen} onClose={() => setIsOpen(false)} onNew={renew} />
      <div className={styles.middle}>
        <div className={styles.head}>
          <IconButton
            label="Conversations"
            className={styles.opener}
            aria-expanded={isOpen}
            onClick={() => setIsOpen(true)}
          >
            <PanelLeft />
          </IconButton>
          {exchanges.length > 0 && <h1 className={styles.heading}>{state.title}</h1>}
          {state.conversationId !== null && exchanges.length > 0 && (
            <Button look="quiet" small icon={<Share2 />} onClick={() => setShares(true)}>
              Share
            </Button>
          )}
        </div>
        {state.error !== null ? (
          <Fault title="This conversation can't be shown" error={state.error} onRetry={() => void session.load()} />
        ) : state.loading ? (
          <Skeleton lines={6} />
        ) : (
          exchanges.length === 0 && <Welcome onAsk={(question) => ask({ question })} />
        )}
        <ol ref={content} className={styles.turns} aria-label="Conversation">
          {exchanges.map((exchange, at) => (
            <ExchangeView
              key={exchange.key}
              exchange={exchange}
              later={exchanges.length - 1 - at}
              currency={me?.currency ?? 'EUR'}
              busy={busy}
              onOpen={setPlace}
              onAsk={(question) => ask({ question })}
              onAnew={(question, fresh) => ask({ question, at, fresh })}
              onSaid={(said) => exchange.traceId !== null && session.said(exchange.traceId, said)}
            />
          ))}
        </ol>
        <p className="unseen" role="status" aria-live="polite">
          {spoken(exchanges.at(-1))}
        </p>
        <div className={styles.dock}>
          {!atEnd && exchanges.length > 0 && (
            <Button small className={styles.toEnd} icon={<ArrowDown />} onClick={toEnd}>
              To the end
            </Button>
          )}
          <Composer
            busy={busy}
            collections={collection}
            onCollections={(names) =>
              void navigate({
                to: '.',
                search: names.length === 0 ? {} : { collection: names },
                replace: true,
              })
            }
            onAsk={(question) => ask({ question })}
            onStop={() => {
              session.stop();
              field.current?.focus();
            }}
            field={field}
          />
        </div>
      </div>
      {place !== null && <DocumentAside place={place} DocumentPanel={DocumentPanel} onClose={() => setPlace(null)} />}
      {shares && state.conversationId !== null && (
        <Suspense>
          <ShareDialog
            conversationId={state.conversationId}
            groups={me?.groups ?? []}
            onClose={() => setShares(false)}
          />
        </Suspense>
      )}
    </div>
  );
}

/** The conversation of the address; a new one gets its own address as soon as it has one. */
function useSession(conversationId: string | null, renewed: number): Session {
  const navigate = useNavigate();
  const cache = useQueryClient();
  // eslint-disable-next-line react-hooks/exhaustive-deps -- a new one, though the address may be the same
  const session = useMemo(() => sessions.of(conversationId), [conversationId, renewed]);
  useEffect(() => {
    session.whenBegun((id) => {
      void navigate({ to: '/c/$conversationId', params: { conversationId: id }, search: askSearch, replace: true });
    });
    // The shell asks who we are again, and then for a key.
    session.whenRefused(() => void cache.invalidateQueries({ queryKey: ['/api/me'] }));
  }, [session, navigate, cache]);
  useEffect(() => {
    // One that was open before may have gone on elsewhere.
    if (!session.isRunning && session.snapshot().exchanges.length > 0) void session.load();
  }, [session]);
  return session;
}
