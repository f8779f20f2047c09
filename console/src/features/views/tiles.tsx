import { Sparkline } from '@/ui/sparkline';

import type { View } from './data';
import { changeOf, figureOf, formatOf, lineOf } from './figures';
import type { TilePlan } from './plans';
import styles from './views.module.css';

export interface TilesProps {
  readonly tiles: readonly TilePlan[];
  /** The overview of the window, and of the one before. */
  readonly now: View | undefined;
  readonly before: View | undefined;
  /** What the one before is called: "the week before". */
  readonly than: string;
}

const ARROWS = { better: 'better', worse: 'worse', same: '' } as const;

/** Figures over the whole window, with what became of them since the one before. */
export function Tiles({ tiles, now, before, than }: TilesProps) {
  return (
    <ul className={styles.tiles} aria-label={`Figures over the window, compared with ${than}`}>
      {tiles.map((plan) => (
        <li key={plan.metric} className={styles.tile} title={now && figureOf(now, plan.metric)?.meaning}>
          <span className={styles.label}>{plan.label}</span>
          <Value {...{ plan, now, before, than }} />
        </li>
      ))}
    </ul>
  );
}

function Value({ plan, now, before, than }: Omit<TilesProps, 'tiles'> & { readonly plan: TilePlan }) {
  if (now === undefined) return <span className={styles.pending} aria-hidden="true" />;
  const line = lineOf(now, plan.metric);
  const unit = figureOf(now, plan.metric)?.unit ?? 'count';
  const value = line?.whole.value ?? null;
  const change =
    before === undefined
      ? ''
      : changeOf(plan.metric, { now: line, before: lineOf(before, plan.metric), unit, better: plan.better });
  return (
    <>
      <span className={styles.figure}>
        <strong>{value === null ? 'unknown' : formatOf(unit, now.currency)(value)}</strong>
        <Sparkline values={line?.values ?? []} width={72} height={22} />
      </span>
      <span className={styles.change} data-tone={typeof change === 'string' ? undefined : change.tone}>
        {typeof change === 'string'
          ? change
          : `${change.words}${ARROWS[change.tone] === '' ? '' : `, ${ARROWS[change.tone]}`}`}
        {typeof change !== 'string' && <span className="unseen"> than {than}</span>}
      </span>
    </>
  );
}
