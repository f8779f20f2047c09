import { classNames } from '@/ui/class-names';

import { SINCE, type TracesSearch } from './search';
import styles from './traces-page.module.css';
import { KIND_WORDS } from './words';

const OUTCOMES: Record<string, string> = {
  answered: 'Answered',
  abstained: 'Beyond my ken',
  refused: 'Refused',
  asked_back: 'Asked back',
  failed: 'Failed',
};
const SINCE_WORDS: Record<string, string> = {
  '1h': 'Last hour',
  '24h': 'Last day',
  '7d': 'Last week',
  '30d': 'Last month',
};

interface ChipsProps {
  readonly search: TracesSearch;
  readonly onNarrow: (change: { readonly [Name in keyof TracesSearch]?: TracesSearch[Name] | undefined }) => void;
}

/** The filters that are wanted most, a click each. */
export function Chips({ search, onNarrow }: ChipsProps) {
  return (
    <div className={styles.chips}>
      <Group
        label="Outcome"
        choices={Object.entries(OUTCOMES)}
        chosen={search.outcome}
        onChoose={(outcome) => onNarrow({ outcome })}
      />
      <Group
        label="Kind"
        choices={Object.entries(KIND_WORDS)}
        chosen={search.kind}
        onChoose={(kind) => onNarrow({ kind })}
      />
      <Group
        label="Time"
        choices={SINCE.map((each) => [each, SINCE_WORDS[each] ?? each] as const)}
        chosen={search.since}
        onChoose={(since) => onNarrow({ since })}
      />
    </div>
  );
}

interface GroupProps<Value extends string> {
  readonly label: string;
  readonly choices: readonly (readonly [value: Value, words: string])[];
  readonly chosen: string | undefined;
  readonly onChoose: (value: Value | undefined) => void;
}

function Group<Value extends string>({ label, choices, chosen, onChoose }: GroupProps<Value>) {
  return (
    <div role="group" aria-label={label} className={styles.group}>
      {choices.map(([value, words]) => (
        <button
          key={value}
          type="button"
          aria-pressed={chosen === value}
          className={classNames(styles.chip, chosen === value && styles.chosen)}
          onClick={() => onChoose(chosen === value ? undefined : value)}
        >
          {words}
        </button>
      ))}
    </div>
  );
}
