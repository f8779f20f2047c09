/** The parts of the page. */
export const TABS = ['keys', 'groups', 'releases', 'settings', 'record', 'about'] as const;
export type SettingsTab = (typeof TABS)[number];

/** What the address of the page may say. */
export interface SettingsSearch {
  readonly tab?: SettingsTab;
  /** Of the settings: words that their names or values have. */
  readonly q?: string;
  /** Of the settings: those with their defaults, too. */
  readonly defaults?: true;
  /** Of the keys: those that were revoked, too. */
  readonly revoked?: true;
}

/** The address of the page, with everything that it can't say left out. */
export function settingsSearch(search: Record<string, unknown>): SettingsSearch {
  const { tab, q, defaults, revoked } = search;
  return {
    ...(TABS.some((each) => each === tab) ? { tab: tab as SettingsTab } : {}),
    ...(typeof q === 'string' && q !== '' ? { q } : {}),
    ...(defaults === true ? { defaults } : {}),
    ...(revoked === true ? { revoked } : {}),
  };
}
