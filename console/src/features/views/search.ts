/** The page's parts: all four together, as one story, and each in full. */
export const VIEWS = ['overview', 'story', 'health', 'quality', 'latency', 'cost'] as const;
export type ViewId = (typeof VIEWS)[number];

/** Windows that end now, and their seconds. */
export const WINDOWS = { '1h': 3600, '24h': 86_400, '7d': 604_800, '30d': 2_592_000 } as const;
export type WindowId = keyof typeof WINDOWS;

/** What every figure may be narrowed by. */
export const DIMENSIONS = ['task_type', 'category', 'release', 'tier'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export type Filters = Readonly<Partial<Record<Dimension, string>>>;

/** What the address of the page may say. Times are seconds since the epoch. */
export interface ViewsSearch extends Filters {
  readonly view?: ViewId;
  readonly window?: WindowId;
  /** A window between two moments, in place of `window`. */
  readonly since?: number;
  readonly until?: number;
  /** Whose traces are listed beside the charts. */
  readonly from?: number;
  readonly to?: number;
  /** What else these traces have in common: a filter of theirs. */
  readonly where?: string;
}

/** The address with everything that it can't say left out. */
export function viewsSearch(search: Record<string, unknown>): ViewsSearch {
  const { view, window, where } = search;
  const between = pair(search.since, search.until);
  const listed = pair(search.from, search.to);
  return {
    ...(VIEWS.some((each) => each === view) && view !== 'overview' ? { view: view as ViewId } : {}),
    ...(typeof window === 'string' && window in WINDOWS && window !== '7d' && between === null
      ? { window: window as WindowId }
      : {}),
    ...(between === null ? {} : { since: between[0], until: between[1] }),
    ...filters(search),
    ...(listed === null ? {} : { from: listed[0], to: listed[1] }),
    ...(typeof where === 'string' && where !== '' && listed !== null ? { where } : {}),
  };
}

/** The filters alone. A value of digits comes parsed as a number where the address was typed. */
export function filters(search: Readonly<Record<string, unknown>> | ViewsSearch): Filters {
  const said = search as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    DIMENSIONS.map((name) => [name, said[name]] as const)
      .filter(([, value]) => (typeof value === 'string' && value !== '') || typeof value === 'number')
      .map(([name, value]) => [name, String(value)]),
  );
}

function pair(since: unknown, until: unknown): readonly [number, number] | null {
  const [begins, ends] = [moment(since), moment(until)];
  return begins !== null && ends !== null && begins < ends ? [begins, ends] : null;
}

/** Seconds since the epoch; also of a date as people write it. */
function moment(value: unknown): number | null {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value !== 'string' || value === '') return null;
  const read = Number(value);
  if (Number.isFinite(read)) return read;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : date / 1000;
}
