import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Ellipsis, SquarePen, X } from 'lucide-react';
import { lazy, Suspense, useDeferredValue, useState } from 'react';

import { api, fetched, unwrap } from '@/lib/api/client';
import type { Shape } from '@/lib/api/types';
import { Button, IconButton } from '@/ui/button';
import { TextField } from '@/ui/field';
import { Menu } from '@/ui/menu';
import { Fault, Skeleton } from '@/ui/states';

import styles from './ask-page.module.css';
import { byDay } from './days';
import { marked } from './marked';
import { sessions } from './session';

const Changing = lazy(() =>
  import('./conversation-dialogs').then((module) => ({ default: module.ConversationDialogs })),
);

type Found = Shape<'FoundConversation'>;

/** What is done with a conversation of the list. */
export interface Doing {
  readonly what: 'rename' | 'share' | 'delete';
  readonly conversation: Found;
}

export interface HistoryProps {
  readonly current: string | null;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly onNew: () => void;
}

/** One's conversations by day, to be searched, opened, renamed, shared and deleted. */
export function History({ current, isOpen, onClose, onNew }: HistoryProps) {
  const [words, setWords] = useState('');
  const [doing, setDoing] = useState<Doing | null>(null);
  const q = useDeferredValue(words.trim());
  const cache = useQueryClient();
  const navigate = useNavigate();
  const list = useInfiniteQuery({
    queryKey: ['/api/conversations', { q }],
    queryFn: ({ pageParam, signal }) =>
      fetched(
        '/api/conversations',
        {
          params: {
            query: { limit: 40, ...(q === '' ? {} : { q }), ...(pageParam === null ? {} : { before: pageParam }) },
          },
        },
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.before,
  });
  const found = list.data?.pages.flatMap((page) => page.conversations) ?? [];
  const remove = async (id: string) => {
    await unwrap(api.DELETE('/api/conversations/{conversation_id}', { params: { path: { conversation_id: id } } }));
    sessions.forget(id);
    await cache.invalidateQueries({ queryKey: ['/api/conversations'] });
    if (id === current) {
      sessions.renew();
      await navigate({ to: '/' });
    }
  };
  return (
    <nav className={styles.side} data-open={isOpen} aria-label="Conversations">
      <div className={styles.sideHead}>
        <Button icon={<SquarePen />} onClick={onNew}>
          New conversation
        </Button>
        <IconButton label="Close the list" className={styles.closer} onClick={onClose}>
          <X />
        </IconButton>
      </div>
      <TextField
        label="Search conversations"
        labelHidden
        type="search"
        placeholder="Search conversations"
        maxLength={200}
        value={words}
        onChange={(event) => setWords(event.target.value)}
      />
      {list.isPending ? (
        <Skeleton lines={6} />
      ) : list.isError && list.data === undefined ? (
        <Fault title="The list can't be shown" error={list.error} onRetry={() => void list.refetch()} />
      ) : found.length === 0 ? (
        <p className={styles.fine}>{q === '' ? 'What you ask is kept here.' : 'No conversation has these words.'}</p>
      ) : (
        byDay(found, (each) => each.updated_at, new Date()).map(([name, entries]) => (
          <section key={name}>
            <h2>{name}</h2>
            <ul>
              {entries.map((each) => (
                <Entry
                  key={each.id}
                  conversation={each}
                  isCurrent={each.id === current}
                  onClose={onClose}
                  onDo={setDoing}
                  words={q}
                />
              ))}
            </ul>
          </section>
        ))
      )}
      {list.hasNextPage && (
        <Button look="quiet" small busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          More
        </Button>
      )}
      {doing !== null && (
        <Suspense>
          <Changing doing={doing} onDelete={remove} onClose={() => setDoing(null)} />
        </Suspense>
      )}
    </nav>
  );
}

interface EntryProps {
  readonly words: string;
  readonly conversation: Found;
  readonly isCurrent: boolean;
  readonly onClose: () => void;
  readonly onDo: (doing: Doing) => void;
}

function Entry({ words, conversation, isCurrent, onClose, onDo }: EntryProps) {
  const { id, title, found } = conversation;
  return (
    <li className={styles.entry} data-current={isCurrent}>
      <Link
        to="/c/$conversationId"
        params={{ conversationId: id }}
        title={title}
        preload={false}
        {...(isCurrent ? { 'aria-current': 'page' as const } : {})}
        onClick={onClose}
      >
        <span className={styles.name}>{title}</span>
        {found !== '' && <span className={styles.found}>{marked(found, words)}</span>}
      </Link>
      <Menu
        trigger={
          <IconButton small label={`More of ${title}`}>
            <Ellipsis />
          </IconButton>
        }
        choices={[
          { label: 'Rename', onSelect: () => onDo({ what: 'rename', conversation }) },
          { label: 'Share', onSelect: () => onDo({ what: 'share', conversation }) },
          { label: 'Delete', danger: true, onSelect: () => onDo({ what: 'delete', conversation }) },
        ]}
      />
    </li>
  );
}
