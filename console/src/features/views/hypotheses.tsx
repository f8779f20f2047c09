import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { moment } from '@/lib/format';
import { Button } from '@/ui/button';
import { Panel } from '@/ui/page';
import { Loaded, Skeleton } from '@/ui/states';

import { whyQuery, windowOf, type Hypothesis, type Why } from './data';
import type { Change } from './filter-bar';
import { DIMENSIONS, type Dimension, type ViewsSearch } from './search';
import styles from './views.module.css';
import { DIMENSION_WORDS, valueInWords } from './words';

export interface HypothesesProps {
  readonly search: ViewsSearch;
  /** Look for them without being asked. */
  readonly isAsked: boolean;
  readonly onChange: (change: Change) => void;
}

const MOST = 5;
const BEFORE_S = 6 * 3600;
const AFTER_S = 18 * 3600;
const LONGEST_S = 14 * 86_400;

/** What may be behind what moved in the window: hypotheses with what speaks for each, and no verdicts. */
export function Hypotheses({ search, isAsked, onChange }: HypothesesProps) {
  const [wanted, setWanted] = useState(false);
  const isOn = wanted || isAsked;
  const query = useQuery({ ...whyQuery(search), enabled: isOn });
  const { lengthS } = windowOf(search);
  return (
    <Panel title="What may be the cause" className={styles.why}>
      <p className={styles.fine}>
        Figures that moved in {lengthS > LONGEST_S ? 'the last two weeks of it' : 'this window'}, the likeliest cause
        first. Of all questions: filters don’t narrow this. Times are UTC.
      </p>
      {isOn ? (
        <Loaded query={query} failed="The causes can't be looked for" skeleton={<Skeleton lines={6} />}>
          {(why) => <Found why={why} onChange={onChange} isOld={query.isPlaceholderData} />}
        </Loaded>
      ) : (
        <Button onClick={() => setWanted(true)}>Look for causes</Button>
      )}
    </Panel>
  );
}

function Found({ why, onChange, isOld }: { why: Why; onChange: HypothesesProps['onChange']; isOld: boolean }) {
  if (why.hypotheses.length === 0) return <p>{why.nothing}</p>;
  return (
    <>
      <p className={styles.fine}>
        Looked at: {moment(why.since)} to {moment(why.until)}, your time.
      </p>
      <ol className={styles.hypotheses} aria-busy={isOld}>
        {why.hypotheses.slice(0, MOST).map((each) => (
          <li key={each.title}>
            <p className={styles.cause}>{each.title}</p>
            <ul>
              {each.evidence.map((sentence) => (
                <li key={sentence}>{sentence}</li>
              ))}
            </ul>
            <Links hypothesis={each} onChange={onChange} />
          </li>
        ))}
      </ol>
    </>
  );
}

function Links({ hypothesis, onChange }: { hypothesis: Hypothesis; onChange: HypothesesProps['onChange'] }) {
  const { moved, marker } = hypothesis;
  const [now] = useState(() => Math.round(Date.now() / 1000));
  const dimension = DIMENSIONS.find((name) => name === moved.dimension);
  const since = Math.round(moved.at - BEFORE_S);
  const around = {
    window: undefined,
    since,
    until: Math.min(now, Math.round(moved.at + AFTER_S)),
    from: undefined,
    to: undefined,
  };
  return (
    <span className={styles.links}>
      <Button small onClick={() => onChange(around)}>
        The day around {moment(moved.at)}
      </Button>
      {dimension !== undefined && (
        <Button small onClick={() => onChange(narrowed(dimension, moved.value))}>
          Only {DIMENSION_WORDS[dimension].toLowerCase()} {valueInWords(moved.value)}
        </Button>
      )}
      {marker?.kind === 'deployed' && (
        <Button small onClick={() => onChange(narrowed('release', marker.of))}>
          Only release {marker.of}
        </Button>
      )}
    </span>
  );
}

function narrowed(dimension: Dimension, value: string): Change {
  return { [dimension]: value };
}
