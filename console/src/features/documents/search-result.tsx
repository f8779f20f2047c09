import { Link } from '@tanstack/react-router';

import { percent } from '@/lib/format';
import { Badge } from '@/ui/badge';
import { Meter } from '@/ui/meter';
import { Prose } from '@/ui/prose';

import { partsOf, type Found, type Move } from './scores';
import styles from './search.module.css';

interface SearchResultProps {
  readonly found: Found;
  readonly among: readonly Found[];
  /** From one. */
  readonly place: number;
  readonly move: Move | null;
}

/** A passage that was found: what it says, where it stands, and why it was found. */
export function SearchResult({ found, among, place, move }: SearchResultProps) {
  const { passage, document: about } = found;
  const search = {
    start: passage.start,
    end: passage.end,
    version: about.version,
    ...(passage.page === null ? {} : { page: passage.page }),
  };
  return (
    <li className={styles.result}>
      <header className={styles.resultHead}>
        <span className={styles.place} aria-hidden="true">
          {place}
        </span>
        <h3>
          <Link to="/documents/$" params={{ _splat: about.id }} search={search}>
            {about.title}
          </Link>
        </h3>
        {move !== null && <Moved move={move} />}
        {about.superseded_by !== null && <Badge tone="warn">Superseded</Badge>}
        <span className={styles.relevance}>
          {percent(found.relevance, 0)}
          <Meter label="Relevance" share={found.relevance} />
        </span>
      </header>
      <p className={styles.where}>
        {[about.collection, ...passage.heading_path, passage.page === null ? null : `page ${passage.page}`, about.owner]
          .filter(Boolean)
          .join(' › ')}
      </p>
      <div className={styles.passage}>
        <Prose source={passage.text} markup={about.markup} headingShift={3} />
      </div>
      <p className={styles.why}>{found.why}</p>
      <details className={styles.explained}>
        <summary>Why it stands here</summary>
        <Explained found={found} among={among} />
      </details>
    </li>
  );
}

function Moved({ move }: { readonly move: Move }) {
  if (move === 'same') return null;
  if (move === 'new') return <Badge tone="accent">only here</Badge>;
  return (
    <Badge tone={move.by > 0 ? 'good' : 'neutral'}>{move.by > 0 ? `${move.by} higher` : `${-move.by} lower`}</Badge>
  );
}

function Explained({ found, among }: { readonly found: Found; readonly among: readonly Found[] }) {
  const terms = Object.entries(found.reasons?.terms ?? {}).toSorted((a, b) => b[1] - a[1]);
  return (
    <>
      <table className={styles.parts}>
        <thead>
          <tr>
            <th scope="col">Part</th>
            <th scope="col">Score</th>
            <th scope="col">Place in its list</th>
          </tr>
        </thead>
        <tbody>
          {partsOf(found, among).map((part) => (
            <tr key={part.name}>
              <th scope="row">
                {part.name}
                <small>{part.meaning}</small>
              </th>
              <td>
                <span>{part.told}</span>
                <span className={styles.bar} aria-hidden="true">
                  <span style={{ width: `${part.share * 100}%` }} />
                </span>
              </td>
              <td>{part.rank ?? '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {terms.length > 0 && (
        <p className={styles.terms}>
          <span>Words that count: </span>
          {terms.map(([term, share]) => (
            <Badge key={term} title={`adds ${share.toFixed(2)} to the score by words`}>
              {term} {share.toFixed(1)}
            </Badge>
          ))}
        </p>
      )}
    </>
  );
}
