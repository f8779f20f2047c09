import { useQuery } from '@tanstack/react-query';
import { SearchX } from 'lucide-react';

import { apiQuery } from '@/lib/api/client';
import type { Shape } from '@/lib/api/types';
import { count, duration, plural } from '@/lib/format';
import { Empty, Loaded, Skeleton } from '@/ui/states';

import { movesOf } from './scores';
import { SearchResult } from './search-result';
import type { PlaygroundFilters } from './search';
import styles from './search.module.css';

type Result = Shape<'SearchShape'>;

interface AskedOf extends PlaygroundFilters {
  readonly q: string;
  readonly limit: number;
}

interface SearchColumnProps {
  readonly asked: AskedOf;
  /** What this one is compared with. */
  readonly against: AskedOf | null;
  readonly title: string | null;
}

/** A search as the API takes it, with its explanation. */
export function searchQuery({ owner, type, collection, ...rest }: AskedOf) {
  return apiQuery('/api/search', {
    params: {
      query: {
        ...rest,
        explain: true,
        ...(collection === undefined ? {} : { collection: [...collection] }),
        ...(owner === undefined ? {} : { owner: [owner] }),
        ...(type === undefined ? {} : { type: [type] }),
      },
    },
  });
}

/** What one search found, best first, with what was searched for and how long each stage took. */
export function SearchColumn({ asked, against, title }: SearchColumnProps) {
  const query = useQuery(searchQuery(asked));
  const other = useQuery({ ...searchQuery(against ?? asked), enabled: against !== null });
  const moves = against !== null && query.data && other.data ? movesOf(query.data.evidence, other.data.evidence) : null;
  return (
    <section className={styles.column} aria-label={title ?? 'What was found'}>
      {title !== null && <h2>{title}</h2>}
      <Loaded query={query} failed="The search failed" skeleton={<Skeleton lines={12} />}>
        {(result) => (
          <>
            <Told result={result} />
            {result.evidence.length === 0 ? (
              <Empty title="Nothing was found" icon={<SearchX />}>
                {result.notices.at(-1) ?? 'Try other words, or fewer filters.'}
              </Empty>
            ) : (
              <ol className={styles.results}>
                {result.evidence.map((found, index) => (
                  <SearchResult
                    key={found.passage.id}
                    found={found}
                    among={result.evidence}
                    place={index + 1}
                    move={moves?.get(found.passage.id) ?? null}
                  />
                ))}
              </ol>
            )}
          </>
        )}
      </Loaded>
    </section>
  );
}

function Told({ result }: { readonly result: Result }) {
  const { explained } = result;
  const stages = Object.entries(result.timings_ms);
  const whole = stages.reduce((sum, [, ms]) => sum + ms, 0);
  return (
    <div className={styles.told}>
      <p role="status">
        {plural(result.evidence.length, 'passage')} of {count(result.candidates)} that were scored, in{' '}
        {plural(result.allowed, 'document')} of {count(result.readable)} that you may read · {duration(whole)}
      </p>
      {result.evidence.length > 0 && result.notices.map((notice) => <p key={notice}>{notice}</p>)}
      <details>
        <summary>What was searched for, and how long it took</summary>
        {explained != null && (
          <ul className={styles.steps}>
            {explained.searched !== explained.asked && <li>Searched for “{explained.searched}”.</li>}
            {explained.corrections.map((each) => (
              <li key={each.written}>
                “{each.written}” was read as “{each.searched}”.
              </li>
            ))}
            {explained.expansions.map((each) => (
              <li key={each.word}>
                “{each.word}” also goes by {each.others.map((name) => `“${name}”`).join(', ')} ({each.why}
                {each.source == null ? '' : `, by ${each.source}`}).
              </li>
            ))}
            {explained.ambiguous.map((each) => (
              <li key={each.word}>
                “{each.word}” may be {each.meanings.join(' or ')}.
              </li>
            ))}
            {explained.parts.length > 1 && <li>It was searched for in parts: {explained.parts.join(' · ')}</li>}
            {explained.feedback.length > 0 && (
              <li>Words of the first finds were added: {explained.feedback.join(', ')}.</li>
            )}
          </ul>
        )}
        <dl className={styles.stages}>
          {stages.map(([name, ms]) => (
            <div key={name}>
              <dt>{name.replaceAll('_', ' ')}</dt>
              <dd>
                <span className={styles.bar} aria-hidden="true">
                  <span style={{ width: `${whole > 0 ? (ms / whole) * 100 : 0}%` }} />
                </span>
                {duration(ms)}
              </dd>
            </div>
          ))}
        </dl>
      </details>
    </div>
  );
}
