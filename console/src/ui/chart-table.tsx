import { stepInWords, type ChartSeries, type Format } from './chart-series';
import styles from './chart.module.css';

export interface ChartTableProps {
  readonly title: string;
  readonly times: readonly number[];
  readonly stepS: number;
  readonly series: readonly ChartSeries[];
  readonly format: Format;
}

/** The figures of a chart, a row a step, the newest first. */
export function ChartTable({ title, times, stepS, series, format }: ChartTableProps) {
  const steps = times.map((since, at) => ({ since, at })).reverse();
  return (
    // A region that scrolls has to be reached by the keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={styles.table} role="region" aria-label={`${title}, as a table`} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {series.map(({ id, name }) => (
              <th key={id} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {steps.map(({ since, at }) => (
            <tr key={since}>
              <th scope="row">{stepInWords({ since, until: since + stepS })}</th>
              {series.map(({ id, values }) => {
                const value = values[at] ?? null;
                return <td key={id}>{value === null ? '–' : format(value)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
