import { useQuery } from '@tanstack/react-query';
import { ChevronLeft, ChevronRight, ZoomOut } from 'lucide-react';
import type { ReactNode } from 'react';

import { compact, moment } from '@/lib/format';
import { Button, IconButton } from '@/ui/button';
import { Select } from '@/ui/field';

import { valuesQuery, windowOf } from './data';
import { DIMENSIONS, WINDOWS, type Dimension, type ViewsSearch, type WindowId } from './search';
import styles from './views.module.css';
import { DIMENSION_WORDS, valueInWords, WINDOW_WORDS } from './words';

/** A change of the address; undefined takes something out of it. */
export type Change = { readonly [Name in keyof ViewsSearch]?: ViewsSearch[Name] | undefined };

export interface FilterBarProps {
  readonly search: ViewsSearch;
  readonly onChange: (change: Change) => void;
  /** Somebody is about to ask for this. */
  readonly onIntent: (change: Change) => void;
  /** Whether the figures are there: the values of filters are asked for after them. */
  readonly isReady: boolean;
}

/** The window and what the figures are narrowed by: one bar for all views. */
export function FilterBar({ search, onChange, onIntent, isReady }: FilterBarProps) {
  const { isLive } = windowOf(search);
  const chosen = isLive ? (search.window ?? '7d') : null;
  const isNarrowed = DIMENSIONS.some((name) => search[name] !== undefined);
  return (
    <div className={styles.bar} role="group" aria-label="Window and filters">
      <div className={styles.windows} role="group" aria-label="Window">
        {(Object.keys(WINDOWS) as WindowId[]).map((each) => {
          const change = { ...NO_WINDOW, window: each };
          return (
            <button
              key={each}
              type="button"
              aria-pressed={chosen === each}
              onClick={() => onChange(change)}
              onPointerEnter={() => onIntent(change)}
              onFocus={() => onIntent(change)}
            >
              {WINDOW_WORDS[each]}
            </button>
          );
        })}
      </div>
      <Travel {...{ search, onChange, onIntent }} />
      {DIMENSIONS.map((name) => (
        <Narrow key={name} {...{ name, search, onChange, isReady }} />
      ))}
      {isNarrowed && (
        <Button
          small
          look="quiet"
          onClick={() => onChange(Object.fromEntries(DIMENSIONS.map((name) => [name, undefined])))}
        >
          All questions
        </Button>
      )}
    </div>
  );
}

const NO_WINDOW = { since: undefined, until: undefined, from: undefined, to: undefined, where: undefined } as const;

/** A window as long, elsewhere; or twice as long around the same middle. Never beyond now. */
export function travelled(search: ViewsSearch, by: 'back' | 'on' | 'out', now: number): Change {
  const { lengthS } = windowOf(search);
  const until = search.until ?? now;
  const length = by === 'out' ? lengthS * 2 : lengthS;
  const ends = { back: until - lengthS / 2, on: until + lengthS / 2, out: until + lengthS / 2 }[by];
  if (ends >= now) {
    const same = (Object.keys(WINDOWS) as WindowId[]).find((each) => WINDOWS[each] === length);
    if (same !== undefined) return { ...NO_WINDOW, window: same };
  }
  const end = Math.round(Math.min(ends, now));
  return { ...NO_WINDOW, window: undefined, since: end - Math.round(length), until: end };
}

function Travel({ search, onChange, onIntent }: Omit<FilterBarProps, 'isReady'>) {
  const { isLive } = windowOf(search);
  const go = (by: 'back' | 'on' | 'out') => {
    const change = () => travelled(search, by, Date.now() / 1000);
    return { onClick: () => onChange(change()), onPointerEnter: () => onIntent(change()) };
  };
  return (
    <div className={styles.travel}>
      <IconButton small label="Earlier" {...go('back')}>
        <ChevronLeft size={16} />
      </IconButton>
      <IconButton small label="Later" disabled={isLive} {...go('on')}>
        <ChevronRight size={16} />
      </IconButton>
      <IconButton small label="Twice as long" {...go('out')}>
        <ZoomOut size={16} />
      </IconButton>
      <span className={styles.between} aria-live="polite">
        {search.since !== undefined && search.until !== undefined
          ? `${moment(search.since)} to ${moment(search.until)}`
          : 'until now'}
      </span>
    </div>
  );
}

interface NarrowProps extends Omit<FilterBarProps, 'onIntent'> {
  readonly name: Dimension;
}

function Narrow({ name, search, onChange, isReady }: NarrowProps) {
  const values = useQuery({ ...valuesQuery(name, search), enabled: isReady });
  const chosen = search[name] ?? '';
  const known = Object.entries(values.data?.lines ?? {})
    .map(([value, line]) => ({ value, questions: line.whole.value ?? 0 }))
    .filter(({ value, questions }) => value !== '' && questions > 0)
    .sort((one, other) => other.questions - one.questions);
  const isMissing = chosen !== '' && !known.some(({ value }) => value === chosen);
  return (
    <Select
      label={DIMENSION_WORDS[name]}
      labelHidden
      value={chosen}
      onChange={(event) => onChange({ [name]: event.target.value === '' ? undefined : event.target.value })}
    >
      <option value="">{`${DIMENSION_WORDS[name]}: all`}</option>
      {isMissing && <option value={chosen}>{valueInWords(chosen)}</option>}
      {known.map(({ value, questions }) => (
        <option key={value} value={value}>{`${valueInWords(value)} (${compact(questions)})`}</option>
      ))}
    </Select>
  ) satisfies ReactNode;
}
