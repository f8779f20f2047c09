/** What the address of the page may say. */
export function settingsSearch(search: Record<string, unknown>): Record<string, unknown> {
  return search;
}
