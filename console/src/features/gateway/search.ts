/** The parts of the page. */
export const TABS = ['overview', 'budgets', 'cache', 'routes', 'costs', 'prices'] as const;
export type GatewayTab = (typeof TABS)[number];

/** By what costs are told apart. */
export const COST_DIMENSIONS = [
  'model',
  'task_type',
  'stage',
  'day',
  'tier',
  'category',
  'principal',
  'release',
] as const;
export type CostDimension = (typeof COST_DIMENSIONS)[number];

export interface GatewaySearch {
  readonly tab?: GatewayTab;
  /** Of the cache: the category, the words, the answer that is open. */
  readonly category?: string;
  readonly q?: string;
  readonly entry?: number;
  /** Of the box that explains: the question, and who is to answer it. */
  readonly question?: string;
  readonly model?: string;
  readonly by?: CostDimension;
  readonly days?: number;
}

const MOST_DAYS = 3650;

/** What the address of the page may say; what it can't is left out. */
export function gatewaySearch(search: Record<string, unknown>): GatewaySearch {
  const tab = TABS.find((each) => each === search.tab);
  const by = COST_DIMENSIONS.find((each) => each === search.by);
  const entry = whole(search.entry, Number.MAX_SAFE_INTEGER);
  const days = whole(search.days, MOST_DAYS);
  return {
    ...(tab === undefined ? {} : { tab }),
    ...words('category', search),
    ...words('q', search),
    ...words('question', search),
    ...words('model', search),
    ...(by === undefined ? {} : { by }),
    ...(entry === null ? {} : { entry }),
    ...(days === null ? {} : { days }),
  };
}

function whole(value: unknown, most: number): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most ? value : null;
}

/** The router reads what looks like a number as one: a question may be `2026`. */
function words<Name extends string>(
  name: Name,
  search: Readonly<Record<string, unknown>>,
): Partial<Record<Name, string>> {
  const value = search[name];
  const text = typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
  return text === '' ? {} : ({ [name]: text } as Partial<Record<Name, string>>);
}

/** The address without some of what it says. */
export function without(search: GatewaySearch, ...names: readonly (keyof GatewaySearch)[]): GatewaySearch {
  const gone: ReadonlySet<string> = new Set(names);
  return Object.fromEntries(Object.entries(search).filter(([name]) => !gone.has(name)));
}
