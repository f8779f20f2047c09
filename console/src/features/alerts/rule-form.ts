/** A rule's table as the API has it. */
export type RuleTable = Readonly<Record<string, unknown>>;
/** The same as people write it: a text for each field, `yes` where a box is ticked. */
export type RuleTexts = Readonly<Record<string, string>>;

export type FieldKind =
  'text' | 'long' | 'expression' | 'time' | 'number' | 'choice' | 'flag' | 'pairs' | 'numbers' | 'times' | 'paces';

export interface RuleField {
  readonly name: string;
  readonly label: string;
  readonly kind: FieldKind;
  readonly hint?: string;
  readonly choices?: readonly (readonly [value: string, label: string])[];
  /** What counts where nothing is said. */
  readonly otherwise?: string;
}

export const YES = 'yes';

export const COMPARES = [
  ['threshold', 'a condition on figures'],
  ['before', 'a figure against itself some time before'],
  ['baseline', 'a figure against what is usual at this hour of the week'],
  ['burn', 'an error budget that is used up too fast'],
  ['after', 'a share since something was changed'],
  ['trend', 'a figure that climbs'],
  ['event', 'something that happened'],
  ['runs', 'two runs of a question set'],
] as const;

const DIRECTION: RuleField = {
  name: 'direction',
  label: 'Trouble is',
  kind: 'choice',
  choices: [
    ['up', 'more than that'],
    ['down', 'less than that'],
  ],
  otherwise: 'up',
};
const METRIC: RuleField = { name: 'metric', label: 'Figure', kind: 'expression' };
const DEVIATIONS: RuleField = {
  name: 'deviations',
  label: 'Least deviations',
  kind: 'number',
  hint: 'How far it strays, in its own spread.',
};

function moreThan(hint: string): RuleField {
  return { name: 'more_than', label: 'Least change', kind: 'number', hint };
}

/** The fields of one way to compare. */
export const OWN: Readonly<Record<string, readonly RuleField[]>> = {
  threshold: [
    {
      name: 'when',
      label: 'Condition',
      kind: 'expression',
      hint: 'Figures, numbers, + - * /, comparisons, and, or, not. `limit` stands for the number below; $0.02 for money.',
    },
    { name: 'limit', label: 'Limit', kind: 'number' },
    { name: 'limits', label: 'Limits by label', kind: 'numbers', hint: 'lookup=3000, comparison=6000' },
  ],
  before: [
    METRIC,
    { name: 'offset', label: 'Against the time before', kind: 'time', otherwise: '1w' },
    DIRECTION,
    moreThan('As a share: 0.2 is a fifth (which counts where nothing is said).'),
  ],
  baseline: [
    METRIC,
    DIRECTION,
    moreThan('As a share of what is usual; 0.3 where nothing is said.'),
    { ...DEVIATIONS, otherwise: '5' },
    { name: 'weeks', label: 'Weeks to learn from', kind: 'number', otherwise: '4' },
    { name: 'also', label: 'Further windows', kind: 'times', hint: '15m, 30m' },
    { name: 'of_all', label: 'Compare each label’s share of all', kind: 'flag' },
  ],
  burn: [
    { name: 'bad', label: 'Share that is bad', kind: 'expression' },
    { name: 'objective', label: 'Share that has to be good', kind: 'number', hint: '0.99' },
    {
      name: 'paces',
      label: 'Paces',
      kind: 'paces',
      hint: 'Long window, short window, times too fast: 1h 5m 14.4; 6h 30m 6',
    },
  ],
  after: [
    METRIC,
    {
      name: 'after',
      label: 'Since',
      kind: 'choice',
      choices: [
        ['index_updated', 'documents changed'],
        ['deployed', 'another release'],
      ],
    },
    { name: 'within', label: 'Looked at for', kind: 'time', otherwise: '24h' },
    DIRECTION,
    moreThan('As a share; 0.5 where nothing is said.'),
    { ...DEVIATIONS, otherwise: '4' },
  ],
  event: [
    {
      name: 'event',
      label: 'What happened',
      kind: 'choice',
      choices: [
        ['breaker', 'a breaker opened'],
        ['budget_short', 'a budget is nearly used up'],
        ['budget_exhausted', 'a budget is used up'],
      ],
    },
  ],
  runs: [{ name: 'tolerance', label: 'Tolerance', kind: 'number', otherwise: '0' }],
  trend: [
    METRIC,
    { name: 'unless', label: 'Unless this climbs, too', kind: 'expression' },
    moreThan('Over the whole window, as a share; 0.15 where nothing is said.'),
    { name: 'steps', label: 'Steps', kind: 'number', otherwise: '7' },
  ],
};

/** Where and when it looks. */
export const LOOKS: readonly RuleField[] = [
  {
    name: 'by',
    label: 'For each',
    kind: 'choice',
    choices: [
      ['', 'no: all together'],
      ...['task_type', 'category', 'tier', 'model', 'release', 'outcome', 'stage', 'kind'].map(
        (each) => [each, each.replace('_', ' ')] as const,
      ),
    ],
  },
  { name: 'where', label: 'Only where', kind: 'pairs', hint: 'stage=retrieve, tier=strong' },
  { name: 'window', label: 'Window', kind: 'time', otherwise: '15m' },
  { name: 'for', label: 'Holds for', kind: 'time', otherwise: '0s', hint: 'Before anybody is told.' },
  { name: 'keep', label: 'Stays on for', kind: 'time', otherwise: '5m', hint: 'After it holds no longer.' },
  { name: 'every', label: 'Looked at every', kind: 'time', otherwise: '1m' },
  {
    name: 'at_least',
    label: 'Least observations',
    kind: 'number',
    otherwise: '20',
    hint: 'With fewer, nothing is said.',
  },
];

/** Who is told what. */
export const TELLS: readonly RuleField[] = [
  {
    name: 'severity',
    label: 'Severity',
    kind: 'choice',
    choices: [
      ['soft', 'soft: in the daily digest'],
      ['hard', 'hard: sent at once'],
    ],
    otherwise: 'soft',
  },
  { name: 'group', label: 'Group', kind: 'text', hint: 'Alerts of a group share a message.' },
  {
    name: 'summary',
    label: 'Message',
    kind: 'long',
    hint: 'With {value}, {value%}, {value$}, {expected}, {change}, {count}, {labels} in it.',
  },
  { name: 'filter', label: 'Filter that finds the traces', kind: 'text', hint: 'ms > {limit}' },
  { name: 'runbook', label: 'What to do', kind: 'text', hint: 'An address.' },
];

/** The fields of a rule that compares in this way. */
export function fieldsOf(compare: string): readonly RuleField[] {
  return [...(OWN[compare] ?? []), ...LOOKS, ...TELLS];
}

/** A table as texts. */
export function textsOf(table: RuleTable): RuleTexts {
  const compare = typeof table.compare === 'string' ? table.compare : 'threshold';
  const texts: Record<string, string> = { compare, name: plain(table.name) };
  if (table.enabled === false) texts.enabled = 'no';
  for (const field of fieldsOf(compare)) texts[field.name] = textOf(table[field.name], field.kind);
  return texts;
}

function textOf(value: unknown, kind: FieldKind): string {
  if (value === null || value === undefined) return '';
  switch (kind) {
    case 'flag':
      return value === true ? YES : '';
    case 'pairs':
    case 'numbers':
      return Object.entries(value as Record<string, unknown>)
        .map(([name, each]) => `${name}=${plain(each)}`)
        .join(', ');
    case 'times':
      return (value as readonly string[]).join(', ');
    case 'paces':
      return (value as readonly Record<string, unknown>[])
        .map((pace) => `${plain(pace.long)} ${plain(pace.short)} ${plain(pace.rate)}`)
        .join('; ');
    default:
      return plain(value);
  }
}

function plain(value: unknown): string {
  return typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : '';
}

/** Texts as a table, with the fields that something is said in. What can't be read is left as it is written: the server says why it can't. */
export function tableOf(texts: RuleTexts): RuleTable {
  const compare = texts.compare ?? 'threshold';
  const table: Record<string, unknown> = { name: texts.name ?? '' };
  if (compare !== 'threshold') table.compare = compare;
  if (texts.enabled === 'no') table.enabled = false;
  for (const { name, kind } of fieldsOf(compare)) {
    const text = (texts[name] ?? '').trim();
    if (text !== '') table[name] = valueOf(text, kind);
  }
  return table;
}

function valueOf(text: string, kind: FieldKind): unknown {
  switch (kind) {
    case 'flag':
      return text === YES;
    case 'number':
      return numeric(text);
    case 'pairs':
      return pairs(text, (value) => value);
    case 'numbers':
      return pairs(text, numeric);
    case 'times':
      return parts(text, ',');
    case 'paces':
      return parts(text, ';').map((pace) => {
        const [long = '', short = '', rate = ''] = pace.split(/\s+/);
        return { long, short, rate: numeric(rate) };
      });
    default:
      return text;
  }
}

function numeric(text: string): unknown {
  const value = Number(text);
  return text !== '' && Number.isFinite(value) ? value : text;
}

function pairs(text: string, read: (value: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(
    parts(text, ',').map((pair) => {
      const [name = '', ...rest] = pair.split('=');
      return [name.trim(), read(rest.join('=').trim())] as const;
    }),
  );
}

function parts(text: string, sign: string): readonly string[] {
  return text
    .split(sign)
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

const CLEARED: Readonly<Record<FieldKind, unknown>> = {
  text: '',
  long: '',
  choice: '',
  expression: null,
  number: null,
  time: undefined,
  flag: false,
  pairs: {},
  numbers: {},
  times: [],
  paces: [],
};

/** What is to be sent so that a rule becomes this table: what differs from what the files say of it; all of it where they say nothing. */
export function changesOf(table: RuleTable, before: RuleTable | null): RuleTable {
  if (before === null) return table;
  const compare = (each: RuleTable) => (typeof each.compare === 'string' ? each.compare : 'threshold');
  if (compare(table) !== compare(before)) return { ...table, compare: compare(table) };
  const changes: Record<string, unknown> = { name: table.name };
  for (const [name, value] of Object.entries(table)) {
    if (JSON.stringify(value) !== JSON.stringify(before[name])) changes[name] = value;
  }
  if (before.enabled === false && table.enabled === undefined) changes.enabled = true;
  for (const { name, kind, otherwise } of fieldsOf(compare(table))) {
    if (name in table || !(name in before) || JSON.stringify(before[name]) === JSON.stringify(CLEARED[kind])) continue;
    const value = otherwise === undefined ? CLEARED[kind] : valueOf(otherwise, kind);
    if (value !== undefined && JSON.stringify(value) !== JSON.stringify(before[name])) changes[name] = value;
  }
  return changes;
}
