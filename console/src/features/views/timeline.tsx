import { Database, Rocket } from 'lucide-react';
import { useMemo } from 'react';

import { moment } from '@/lib/format';
import { Button } from '@/ui/button';
import { INSET } from '@/ui/chart-option';
import type { Step } from '@/ui/chart-series';
import { Popover } from '@/ui/popover';

import type { Marker, View } from './data';
import { FigureChart } from './figure-chart';
import type { ChartPlan } from './plans';
import type { Change } from './filter-bar';
import styles from './views.module.css';

export interface TimelineProps {
  readonly view: View | undefined;
  readonly onBrush: (window: Step) => void;
  readonly onStep: (window: Step, where: string | undefined) => void;
  readonly onChange: (change: Change) => void;
}

const VOLUME: ChartPlan = { title: 'Questions', metrics: ['questions'], kind: 'bar' };
/** Markers nearer to each other than this share of the axis stand behind one button. */
const NEAR = 0.025;
const AROUND_S = 3 * 3600;

/** The axis that all charts share: how many questions there were, and what people changed meanwhile. */
export function Timeline({ view, onBrush, onStep, onChange }: TimelineProps) {
  const clusters = useMemo(() => (view === undefined ? [] : clustered(view)), [view]);
  return (
    <section className={styles.timeline} aria-label="Time">
      <div className={styles.markers} style={{ marginInline: `${INSET.left}px ${INSET.right}px` }}>
        {clusters.map(({ share, markers }) => (
          <Happened key={markers[0]?.at} {...{ share, markers, onChange }} />
        ))}
      </div>
      <FigureChart plan={VOLUME} view={view} onBrush={onBrush} onStep={onStep} />
    </section>
  );
}

interface Cluster {
  /** Where on the axis, 0 to 1. */
  readonly share: number;
  readonly markers: readonly Marker[];
}

/** Markers that would lie over each other, together. */
export function clustered({ times, step_s, markers }: Pick<View, 'times' | 'step_s' | 'markers'>): readonly Cluster[] {
  const begin = times[0] ?? 0;
  const length = Math.max(1, times.length * step_s);
  const found: { share: number; markers: Marker[] }[] = [];
  for (const marker of markers) {
    const share = (marker.at - begin) / length;
    if (share < 0 || share > 1) continue;
    const last = found.at(-1);
    if (last !== undefined && share - last.share < NEAR) last.markers.push(marker);
    else found.push({ share, markers: [marker] });
  }
  return found;
}

function Happened({ share, markers, onChange }: Cluster & Pick<TimelineProps, 'onChange'>) {
  const isRelease = markers.some(({ kind }) => kind === 'deployed');
  const words = markers.length === 1 ? (isRelease ? 'Release' : 'Sync') : `${markers.length} changes`;
  return (
    <span className={styles.flag} style={{ left: `${share * 100}%` }}>
      <Popover
        label="What changed"
        trigger={
          <button type="button" title={markers.map(({ told }) => told).join('\n')}>
            {isRelease ? <Rocket size={13} aria-hidden="true" /> : <Database size={13} aria-hidden="true" />}
            <span className="unseen">{words}</span>
            {markers.length > 1 && <span aria-hidden="true">{markers.length}</span>}
          </button>
        }
      >
        <ul className={styles.happened}>
          {markers.map((marker) => (
            <li key={`${marker.at} ${marker.of}`}>
              <p>{marker.told}</p>
              <p className={styles.fine}>{moment(marker.at)}</p>
              <span className={styles.links}>
                {marker.kind === 'deployed' && (
                  <Button small onClick={() => onChange({ release: marker.of })}>
                    Only this release
                  </Button>
                )}
                <Button
                  small
                  onClick={() =>
                    onChange({
                      window: undefined,
                      since: Math.round(marker.at - AROUND_S),
                      until: Math.round(marker.at + AROUND_S),
                    })
                  }
                >
                  Three hours around it
                </Button>
              </span>
            </li>
          ))}
        </ul>
      </Popover>
    </span>
  );
}
