import type { Alert, Change } from './shapes';

/** An alert from when it began to fire until it was over. */
export interface Episode {
  readonly key: string;
  /** As it was told last. */
  readonly alert: Alert;
  readonly since: number;
  /** When it was over; now, where it isn't. */
  readonly until: number;
  readonly isOver: boolean;
}

/** What became of alerts, put together: each time that one fired, the newest first. `changes` come newest first. */
export function episodesOf(changes: readonly Change[], now: number): readonly Episode[] {
  const open = new Map<string, Episode>();
  const found: Episode[] = [];
  for (const { at, alert, new: state } of [...changes].reverse()) {
    const known = open.get(alert.fingerprint);
    // A change from before the time that is looked at may be missing: the alert says itself when it fired.
    const begun = known ?? {
      key: `${alert.fingerprint} ${at}`,
      alert,
      since: alert.fired_at ?? at,
      until: now,
      isOver: false,
    };
    if (state === 'resolved') {
      found.push({ ...begun, alert: { ...begun.alert, ...settled(alert) }, until: at, isOver: true });
      open.delete(alert.fingerprint);
    } else {
      open.set(alert.fingerprint, { ...begun, alert });
    }
  }
  return [...found, ...open.values()].sort((one, other) => other.since - one.since);
}

/** Of an alert that is over: its end, while what it said when it fired is what is remembered. */
function settled({ state, resolved_at, since }: Alert): Partial<Alert> {
  return { state, resolved_at, since };
}
