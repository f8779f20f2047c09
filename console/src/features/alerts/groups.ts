import type { Alert } from './shapes';

/** Alerts by their group, groups with something hard first, then by when the first of them began; within one likewise. */
export function groupsOf(alerts: readonly Alert[]): readonly (readonly [group: string, alerts: readonly Alert[]])[] {
  const sorted = [...alerts].sort(byWeight);
  const groups = new Map<string, Alert[]>();
  for (const alert of sorted) {
    const name = alert.group === '' ? alert.rule : alert.group;
    const members = groups.get(name);
    if (members === undefined) groups.set(name, [alert]);
    else members.push(alert);
  }
  return [...groups];
}

function byWeight(one: Alert, other: Alert): number {
  if (one.severity !== other.severity) return one.severity === 'hard' ? -1 : 1;
  return one.began_at - other.began_at;
}
