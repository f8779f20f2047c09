import styles from './sparkline.module.css';

export interface SparklineProps {
  /** Null is a gap: unknown is no zero. */
  readonly values: readonly (number | null)[];
  /** What it shows, for those who don't see it; without, it is decoration beside words that say the same. */
  readonly label?: string;
  readonly width?: number;
  readonly height?: number;
  /** Which of the series colours, from 1. */
  readonly colour?: number;
}

/** A small line without axes, beside a figure. */
export function Sparkline({ values, label, width = 96, height = 24, colour = 1 }: SparklineProps) {
  const lines = sparklinePaths(values, { width, height });
  const told = label === undefined ? { 'aria-hidden': true as const } : { role: 'img', 'aria-label': label };
  return (
    <svg
      className={styles.spark}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      {...{ width, height }}
      {...told}
    >
      {lines.map((d) => (
        <path key={d} d={d} stroke={`var(--series-${colour})`} />
      ))}
    </svg>
  );
}

/** The stretches of known values as SVG paths, from the least value (0, or below it) to the greatest. */
export function sparklinePaths(
  values: readonly (number | null)[],
  { width, height }: { readonly width: number; readonly height: number },
): readonly string[] {
  const known = values.filter((value) => value !== null);
  const least = Math.min(0, ...known);
  const span = Math.max(...known, least) - least;
  const x = (at: number) => round((at / Math.max(1, values.length - 1)) * width);
  const y = (value: number) => round(1 + (span === 0 ? 1 : 1 - (value - least) / span) * (height - 2));
  const paths: string[] = [];
  let path = '';
  const close = () => {
    if (path !== '') paths.push(path.includes('L') ? path : `${path}h1`);
    path = '';
  };
  values.forEach((value, at) => {
    if (value === null) close();
    else path += `${path === '' ? 'M' : 'L'}${x(at)} ${y(value)}`;
  });
  close();
  return paths;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
