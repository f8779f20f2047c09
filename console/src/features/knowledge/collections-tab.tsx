import { Link } from '@tanstack/react-router';
import { Library } from 'lucide-react';

import { count, plural } from '@/lib/format';
import { Badge } from '@/ui/badge';
import { Facts } from '@/ui/page';
import { Empty, Loaded, Skeleton } from '@/ui/states';

import { CollectionDocuments } from './collection-documents';
import { Command } from './command';
import styles from './knowledge.module.css';
import { served, useCollections, useIsOperator, useSnapshots, useSources, type Source } from './queries';
import { When } from './when';

/** The collections, or the documents of one. */
export function CollectionsTab({ collection }: { readonly collection: string | undefined }) {
  return collection === undefined ? <Collections /> : <CollectionDocuments collection={collection} />;
}

function Collections() {
  const isOperator = useIsOperator();
  const collections = useCollections();
  const sources = useSources(isOperator).data ?? [];
  const { isOld } = served(useSnapshots(isOperator).data ?? []);
  return (
    <Loaded query={collections} failed="The collections can't be shown" skeleton={<Skeleton height="14rem" />}>
      {(known) => {
        const counts = new Map(known.map((each) => [each.name, each.documents]));
        // A source that could not bring anything yet has a collection that nobody sees in the list.
        const names = [...new Set([...counts.keys(), ...sources.map((each) => each.collection)])].sort();
        return names.length === 0 ? (
          <NothingYet isOperator={isOperator} />
        ) : (
          <ul className={styles.cards}>
            {names.map((name) => (
              <li key={name}>
                <Collection
                  name={name}
                  documents={counts.get(name) ?? 0}
                  isOld={isOld}
                  sources={isOperator ? sources.filter((each) => each.collection === name) : null}
                />
              </li>
            ))}
          </ul>
        );
      }}
    </Loaded>
  );
}

interface CollectionProps {
  readonly name: string;
  readonly documents: number;
  /** An older version of the documents is served. */
  readonly isOld: boolean;
  /** Null for who may not know of them. */
  readonly sources: readonly Source[] | null;
}

function Collection({ name, documents, isOld, sources }: CollectionProps) {
  const synced = sources?.map((each) => each.synced_at ?? 0) ?? [];
  const lastSynced = Math.max(0, ...synced);
  const groups = [...new Set(sources?.flatMap((each) => each.default_groups) ?? [])].sort();
  const failing = sources?.filter((each) => each.problem !== '').length ?? 0;
  return (
    <article className={styles.card} aria-label={name}>
      <div className={`${styles.row} ${styles.spread}`}>
        <h2>{name}</h2>
        {sources?.some((each) => each.is_running) === true && <Badge tone="accent">syncing</Badge>}
        {failing > 0 && <Badge tone="fault">{plural(failing, 'source')} failing</Badge>}
      </div>
      <p>
        <span className={styles.figure}>{count(documents)}</span> {documents === 1 ? 'document' : 'documents'}
        {sources === null ? ' that you may read' : ''}
      </p>
      {sources !== null && documents === 0 && failing === 0 && (
        <p className={styles.soft}>
          {isOld
            ? 'None in the version that is served; what came later is back when the newest is served again.'
            : 'Nothing is in it now. It leaves this list when its sources are removed.'}
        </p>
      )}
      {sources !== null && (
        <Facts
          facts={[
            ['Last synced', lastSynced === 0 ? null : <When key="synced" at={lastSynced} />],
            ['Readable by', groups.length === 0 ? '–' : `${groups.join(', ')}, unless said otherwise`],
            ['From', sources.length === 0 ? '–' : [...new Set(sources.map((each) => each.kind))].join(', ')],
          ]}
        />
      )}
      <div className={styles.actions}>
        {documents > 0 && (
          <Link to="/knowledge" search={{ collection: name }}>
            Documents
          </Link>
        )}
        {documents > 0 && (
          <Link to="/knowledge" search={{ tab: 'quality', collection: name }}>
            Quality
          </Link>
        )}
        {sources !== null && (
          <Link to="/knowledge" search={{ tab: 'upload', collection: name }}>
            Add documents
          </Link>
        )}
      </div>
    </article>
  );
}

function NothingYet({ isOperator }: { readonly isOperator: boolean }) {
  if (!isOperator) {
    return (
      <Empty title="There is nothing that you may read" icon={<Library />}>
        Ask whoever runs this Ken to share documents with one of your groups.
      </Empty>
    );
  }
  return (
    <Empty
      title="There are no documents yet"
      icon={<Library />}
      action={
        <Link to="/knowledge" search={{ tab: 'upload' }}>
          Add documents here
        </Link>
      }
    >
      Put in a folder from the terminal, or name where your documents live in <code>ken.toml</code>.
      <Command text="ken sync FOLDER --collection NAME" />
    </Empty>
  );
}
