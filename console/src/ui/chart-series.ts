/** How a figure is written. */
export type Format = (value: number) => string;

/** One line, area or row of bars: its values stand at the times of the chart, null where nothing is known. */
export interface ChartSeries {
  readonly id: string;
  readonly name: string;
  readonly values: readonly (number | null)[];
  readonly kind?: 'line' | 'area' | 'bar';
  /** Series of the same stack stand on top of each other. */
  readonly stack?: string;
  /** Which of the eight series colours, from 1; by its place among the series without. */
  readonly colour?: number;
  /** The figure over all of the window, shown while no moment is looked at. */
  readonly whole?: number | null;
}

/** Something that happened at a moment, drawn as an upright line. */
export interface ChartMarker {
  /** Seconds since the epoch. */
  readonly at: number;
  readonly label: string;
  readonly kind?: string;
  /** The label is written beside the line, and not only told on hover. */
  readonly isWritten?: boolean;
}

/** A level to compare with, drawn as a level dashed line. */
export interface ChartLevel {
  readonly value: number;
  readonly label: string;
}

/** A step of time, in seconds since the epoch. */
export interface Step {
  readonly since: number;
  readonly until: number;
}

const TIME: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit' };
const DAY: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short' };

/** A step in words: Fri 20 Nov, 14:00 to 17:00. */
export function stepInWords({ since, until }: Step): string {
  const begins = new Date(since * 1000);
  const day = begins.toLocaleDateString('en-GB', { weekday: 'short', ...DAY });
  const time = begins.toLocaleTimeString('en-GB', TIME);
  if (until - since >= 86_400 && time === '00:00') return day;
  if (until - since >= 86_400) return `${day} from ${time}`;
  return `${day}, ${time} to ${new Date(until * 1000).toLocaleTimeString('en-GB', TIME)}`;
}

/** A place on the axis: the time of day, and at midnight the date. */
export function tickInWords(ms: number): string {
  const at = new Date(ms);
  const isMidnight = at.getHours() === 0 && at.getMinutes() === 0;
  return isMidnight ? at.toLocaleDateString('en-GB', DAY) : at.toLocaleTimeString('en-GB', TIME);
}

/** The step that a moment lies in, as a place among the times; null outside. */
export function stepAt(times: readonly number[], stepS: number, at: number): number | null {
  const [first] = times;
  if (first === undefined) return null;
  const index = Math.floor((at - first) / stepS);
  return index >= 0 && index < times.length ? index : null;
}

/** The places of values that have no known neighbour, and would not be seen as a line. */
export function lonely(values: readonly (number | null)[]): ReadonlySet<number> {
  const found = new Set<number>();
  values.forEach((value, at) => {
    if (value !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null) found.add(at);
  });
  return found;
}

/** A value in words: unknown where there is none. */
export function valueInWords(value: number | null | undefined, format: Format): string {
  return value === null || value === undefined ? 'unknown' : format(value);
}

/** What is read out at a step: when, and each series' value. */
export function readOut(
  step: Step,
  series: readonly ChartSeries[],
  { at, format }: { at: number; format: Format },
): string {
  const values = series.map(({ name, values }) => `${name} ${valueInWords(values[at], format)}`);
  return `${stepInWords(step)}: ${values.join(', ')}`;
}

/** The series whose value at a step is nearest to a height; of a stack, the one whose layer it lies in. Null: none is known there. */
export function nearest(series: readonly ChartSeries[], step: number, height: number | null): string | null {
  if (height === null) return series.length === 1 ? (series[0]?.id ?? null) : null;
  const tops = new Map<string, number>();
  let found: string | null = null;
  let least = Infinity;
  for (const { id, values, stack } of series) {
    const value = values[step] ?? null;
    if (value === null) continue;
    const below = stack === undefined ? 0 : (tops.get(stack) ?? 0);
    const top = below + value;
    if (stack !== undefined) tops.set(stack, top);
    const far = stack !== undefined && height >= below && height <= top ? 0 : Math.abs(top - height);
    if (far < least) [found, least] = [id, far];
  }
  return found;
}
