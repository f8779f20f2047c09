import { Link } from '@tanstack/react-router';
import { ExternalLink } from 'lucide-react';

import { count, day, moment, plural } from '@/lib/format';
import { Badge } from '@/ui/badge';
import { Facts } from '@/ui/page';

import styles from './document.module.css';
import { hasChanged, type OpenedDocument, type Place } from './place';

interface DocumentProps {
  readonly opened: OpenedDocument;
}

/** What is known of a document. Who may read it is told to those who decide that. */
export function DocumentFacts({ opened, isOperator }: DocumentProps & { readonly isOperator: boolean }) {
  const { document: about, source } = opened;
  return (
    <Facts
      facts={[
        ['Collection', about.collection],
        ['Path', <code key="path">{about.path}</code>],
        ['Owner', about.owner],
        ['In force from', about.effective && day(about.effective)],
        ['Review by', about.review_by && day(about.review_by)],
        ['Last changed', about.modified && day(about.modified)],
        ['Synced', moment(about.synced_at)],
        ['Supersedes', about.supersedes],
        ['Size', `${count(about.characters)} characters, ${plural(about.passages, 'passage')}`],
        ['Read by', isOperator ? about.groups.join(', ') || 'operators alone' : null],
        ['Source', isOperator ? source : null],
        [
          'Version',
          <code key="version" title={about.version}>
            {about.version.slice(16, 28)}
          </code>,
        ],
        [
          'Opened at',
          about.url !== null && /^https?:\/\//i.test(about.url) ? (
            <a key="url" href={about.url} target="_blank" rel="noopener noreferrer">
              its source <ExternalLink size={13} aria-hidden="true" />
            </a>
          ) : null,
        ],
      ]}
    />
  );
}

/** Whether a document holds, in a word. */
export function Standing({ opened }: DocumentProps) {
  const { superseded_by: by, effective, review_by: review } = opened.document;
  const now = today();
  if (by !== null) return <Badge tone="warn">Superseded</Badge>;
  if (effective !== null && effective > now) return <Badge tone="accent">Not in force yet</Badge>;
  if (review !== null && review < now) return <Badge tone="warn">Review due</Badge>;
  return null;
}

/** What a reader must know before relying on the text. */
export function Notes({ opened, place }: DocumentProps & { readonly place: Place }) {
  const { superseded_by: by, effective, review_by: review } = opened.document;
  const now = today();
  return (
    <div className={styles.notes}>
      {hasChanged(opened, place) && (
        <p role="status">This document has changed since it was cited, so the passage can’t be marked here.</p>
      )}
      {by !== null && (
        <p>
          A newer document stands in this one’s place:{' '}
          <Link to="/documents/$" params={{ _splat: by }}>
            {by}
          </Link>
          .
        </p>
      )}
      {effective !== null && effective > now && <p>It is not in force before {day(effective)}.</p>}
      {review !== null && review < now && <p>Its review was due on {day(review)}.</p>}
      {opened.warnings.map((warning) => (
        <p key={warning}>{warning}</p>
      ))}
    </div>
  );
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}
