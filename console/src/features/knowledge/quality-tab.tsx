import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { CircleCheck, Library } from 'lucide-react';
import { useState } from 'react';

import { apiQuery } from '@/lib/api/client';
import { count, percent, plural } from '@/lib/format';
import { Badge } from '@/ui/badge';
import { Button } from '@/ui/button';
import { Select } from '@/ui/field';
import { Meter } from '@/ui/meter';
import { Panel } from '@/ui/page';
import { Empty, Loaded, Skeleton } from '@/ui/states';

import { DocumentLink } from './document-link';
import styles from './knowledge.module.css';
import { useCollections, type Finding, type Quality } from './queries';

const route = getRouteApi('/knowledge');
const AT_ONCE = 25;

/** What to do about each kind of finding. */
const REMEDIES: Readonly<Record<Finding['kind'], string>> = {
  unreadable: 'Open the file where it lives, and save it anew in a format that Ken reads.',
  empty: 'Fill them, or take them out of the collection.',
  'near-duplicate': 'Keep one of the two: answers cite either, and they drift apart.',
  boilerplate: 'Take out what every document repeats, or leave these documents out.',
  'out-of-date': 'Have the owner look at them, or name what supersedes them.',
  contradictory: 'Have the owners settle which one holds. Until then answers name both.',
  orphaned: 'Link to them from where people look, or take them out.',
  'broken-link': 'Put the link right in the document.',
  'supersedes-nothing': 'Put the path right that is named in `supersedes`.',
  instructions: 'Look whether somebody has planted them. Ken treats them as text.',
  'parsed-with-remarks': 'Give scanned pages a text layer, or upload a better copy.',
  'readable-by-nobody': 'Give somebody a key with one of these groups, or change the groups.',
  language: 'Nothing may be wrong; questions in the other language find them less well.',
};

export interface QualityTabProps {
  readonly collection: string | undefined;
  /** The kind that is open. */
  readonly kind: string | undefined;
}

/** The quality report of a collection: what is wrong, in which documents, what to do. */
export function QualityTab({ collection, kind }: QualityTabProps) {
  const collections = useCollections();
  const navigate = route.useNavigate();
  return (
    <Loaded query={collections} failed="The collections can't be shown">
      {(known) => {
        const names = known.map((each) => each.name);
        const chosen = collection ?? names[0];
        if (chosen === undefined) {
          return (
            <Empty
              title="There is nothing to look at yet"
              icon={<Library />}
              action={
                <Link to="/knowledge" search={{}}>
                  See the collections
                </Link>
              }
            >
              As soon as there are documents, this says what is wrong with them.
            </Empty>
          );
        }
        return (
          <div className={styles.stack}>
            <div className={styles.pick}>
              <Select
                label="Collection"
                value={chosen}
                onChange={(event) => void navigate({ search: { tab: 'quality', collection: event.target.value } })}
              >
                {[...new Set([...names, chosen])].map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </Select>
            </div>
            <Report collection={chosen} kind={kind} />
          </div>
        );
      }}
    </Loaded>
  );
}

function Report({ collection, kind }: { readonly collection: string; readonly kind: string | undefined }) {
  const report = useQuery(apiQuery('/api/collections/{collection}/quality', { params: { path: { collection } } }));
  return (
    <Loaded query={report} failed="The report can't be made" skeleton={<Skeleton height="20rem" />}>
      {(found) => (
        <>
          <Findings found={found} kind={kind} />
          <Languages found={found} />
        </>
      )}
    </Loaded>
  );
}

function Findings({ found, kind }: { readonly found: Quality; readonly kind: string | undefined }) {
  const navigate = route.useNavigate();
  const bad = [...found.findings.filter((each) => each.count > 0)].sort((one, other) => other.count - one.count);
  const clean = found.findings.filter((each) => each.count === 0);
  return (
    <Panel title={`${plural(found.documents, 'document')} looked at`}>
      {bad.length === 0 ? (
        <Empty title="Nothing was found that is wrong" icon={<CircleCheck />}>
          Looked for were documents that {clean.map((each) => each.meaning).join('; ')}.
        </Empty>
      ) : (
        <div>
          {bad.map((each) => (
            <OneFinding
              key={each.kind}
              finding={each}
              documents={found.documents}
              isOpen={kind === each.kind}
              onOpen={(isOpen) => {
                const open = isOpen ? { kind: each.kind } : {};
                void navigate({
                  search: { tab: 'quality', collection: found.collection, ...open },
                  replace: true,
                  resetScroll: false,
                });
              }}
            />
          ))}
        </div>
      )}
      {bad.length > 0 && clean.length > 0 && (
        <p className={styles.clean}>Not found: {clean.map((each) => each.kind.replaceAll('-', ' ')).join(', ')}.</p>
      )}
    </Panel>
  );
}

interface OneFindingProps {
  readonly finding: Finding;
  readonly documents: number;
  readonly isOpen: boolean;
  readonly onOpen: (isOpen: boolean) => void;
}

function OneFinding({ finding, documents, isOpen, onOpen }: OneFindingProps) {
  const [shown, setShown] = useState(AT_ONCE);
  const name = finding.kind.replaceAll('-', ' ');
  const share = documents === 0 ? 0 : finding.count / documents;
  return (
    <details
      className={styles.finding}
      open={isOpen}
      onToggle={({ currentTarget: { open } }) => {
        if (open !== isOpen) onOpen(open);
      }}
    >
      <summary>
        <strong>{name}</strong>
        <Badge tone="warn">{count(finding.count)}</Badge>
        <span className={styles.soft}>
          {finding.count === 1 ? 'This document is one of those that' : 'These documents'} {finding.meaning}
        </span>
        <Meter label={`Share of documents: ${name}`} share={share} told={percent(share)} tone="warn" />
      </summary>
      <div className={styles.stack}>
        <p className={styles.soft}>{REMEDIES[finding.kind]}</p>
        <ul className={styles.list}>
          {finding.entries.slice(0, shown).map((entry, index) => (
            <li key={`${entry.document_id} ${index}`} className={styles.entry}>
              {finding.kind === 'unreadable' ? (
                <span className={styles.path}>{entry.document_id}</span>
              ) : (
                <DocumentLink id={entry.document_id}>{entry.title || entry.document_id}</DocumentLink>
              )}
              <span>{entry.detail}</span>
              {entry.related.length > 0 && (
                <span className={styles.row}>
                  {entry.related.map((id) => (
                    <DocumentLink key={id} id={id} />
                  ))}
                </span>
              )}
            </li>
          ))}
        </ul>
        {finding.entries.length > shown && <Button onClick={() => setShown(shown + AT_ONCE)}>Show more</Button>}
      </div>
    </details>
  );
}

const LANGUAGES = new Intl.DisplayNames('en-GB', { type: 'language' });

function Languages({ found }: { readonly found: Quality }) {
  const all = found.languages.reduce((sum, each) => sum + each.count, 0);
  if (all === 0) return null;
  return (
    <Panel title="Languages">
      <ul className={styles.list}>
        {found.languages.map((each) => {
          const name =
            each.language === 'unknown' ? 'too little prose to tell' : (LANGUAGES.of(each.language) ?? each.language);
          return (
            <li key={each.language} className={styles.entry}>
              <span className={`${styles.row} ${styles.spread}`}>
                <span>{name}</span>
                <span className={styles.soft}>{plural(each.count, 'document')}</span>
              </span>
              <Meter label={name} share={each.count / all} told={percent(each.count / all)} />
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
