import { colourOf, DASHES } from './chart-option';
import { valueInWords, type ChartSeries, type Format } from './chart-series';
import styles from './chart.module.css';
import { classNames } from './class-names';

export interface ChartLegendProps {
  readonly series: readonly ChartSeries[];
  /** Rows that room is kept for. */
  readonly rows: number;
  /** The step whose values are shown; null: the figure over the whole window. */
  readonly at: number | null;
  readonly format: Format;
  readonly hidden: ReadonlySet<string>;
  readonly chosen: string | null;
  readonly onToggle: (id: string) => void;
}

/** What is what, with the values at the crosshair; a press hides a series or shows it again. */
export function ChartLegend({ series, rows, at, format, hidden, chosen, onToggle }: ChartLegendProps) {
  return (
    <ul
      className={classNames(styles.legend, series.length === 1 && styles.single)}
      style={{ minHeight: `${rows * 1.5}rem` }}
    >
      {series.map((one, place) => {
        const value = at === null ? one.whole : one.values[at];
        const told = (
          <>
            <SeriesKey series={one} place={place} />
            <span className={styles.name}>{one.name}</span>{' '}
            {(at !== null || one.whole !== undefined) && (
              <span className={styles.value}>{value == null ? '–' : valueInWords(value, format)}</span>
            )}
          </>
        );
        return (
          <li key={one.id}>
            {series.length < 2 ? (
              <span className={styles.entry}>{told}</span>
            ) : (
              <button
                type="button"
                className={classNames(styles.entry, chosen === one.id && styles.chosen)}
                aria-pressed={!hidden.has(one.id)}
                title={one.name}
                onClick={() => onToggle(one.id)}
              >
                {told}
              </button>
            )}
          </li>
        );
      })}
    </ul>
  );
}

function SeriesKey({ series, place }: { readonly series: ChartSeries; readonly place: number }) {
  const colour = colourOf(series, place);
  const stroke = `var(--series-${colour})`;
  const isLine = series.kind === undefined || series.kind === 'line';
  return (
    <svg width="16" height="10" viewBox="0 0 16 10" aria-hidden="true" className={styles.key}>
      {isLine ? (
        <line
          x1="0"
          y1="5"
          x2="16"
          y2="5"
          stroke={stroke}
          strokeWidth="2"
          strokeDasharray={(DASHES[colour - 1] ?? []).join(' ')}
        />
      ) : (
        <rect x="2" y="0" width="12" height="10" rx="2" fill={stroke} />
      )}
    </svg>
  );
}
