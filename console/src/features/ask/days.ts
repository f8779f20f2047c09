/** Entries under the days of their last use, as people name them; in the order given. */
export function byDay<T>(
  entries: readonly T[],
  at: (entry: T) => number,
  now: Date,
): readonly (readonly [name: string, entries: readonly T[]])[] {
  const groups = new Map<string, T[]>();
  for (const entry of entries) {
    const name = nameOf(new Date(at(entry) * 1000), now);
    groups.set(name, [...(groups.get(name) ?? []), entry]);
  }
  return [...groups.entries()];
}

function nameOf(day: Date, now: Date): string {
  const midnight = (date: Date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const days = Math.round((midnight(now) - midnight(day)) / 86_400_000);
  if (days <= 0) return 'Today';
  if (days === 1) return 'Yesterday';
  if (days < 7) return 'The last 7 days';
  const isThisYear = day.getFullYear() === now.getFullYear();
  return day.toLocaleDateString('en-GB', { month: 'long', ...(isThisYear ? {} : { year: 'numeric' }) });
}
