/** The parts of the page. */
export const TABS = ['firing', 'past', 'rules', 'silences', 'digest'] as const;
export type AlertsTab = (typeof TABS)[number];

/** What the address of the page may say. */
export interface AlertsSearch {
  readonly tab?: AlertsTab;
  /** A fingerprint: links in messages have it. */
  readonly alert?: string;
  /** The rule that is open in the editor, or that the past is narrowed to. */
  readonly rule?: string;
  /** The editor is open for a rule that isn't there yet. */
  readonly isNew?: true;
  readonly severity?: 'hard' | 'soft';
  /** How far back the past goes, in hours. */
  readonly hours?: number;
  /** The digest's day: 2026-11-20. */
  readonly day?: string;
}

const MOST_HOURS = 24 * 90;

/** The address of the page, with everything that it can't say left out. */
export function alertsSearch(search: Record<string, unknown>): AlertsSearch {
  const { tab, alert, rule, isNew, severity, hours, day } = search;
  return {
    ...(isTab(tab) ? { tab } : {}),
    ...(isWord(alert) ? { alert: String(alert) } : {}),
    ...(isWord(rule) ? { rule: String(rule) } : {}),
    ...(isNew === true ? { isNew } : {}),
    ...(severity === 'hard' || severity === 'soft' ? { severity } : {}),
    ...(typeof hours === 'number' && hours > 0 && hours <= MOST_HOURS ? { hours } : {}),
    ...(typeof day === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(day) ? { day } : {}),
  };
}

function isTab(value: unknown): value is AlertsTab {
  return TABS.some((tab) => tab === value);
}

function isWord(value: unknown): boolean {
  return (typeof value === 'string' && value !== '') || typeof value === 'number';
}
