/** What the address of the page may say. */
export function alertsSearch(search: Record<string, unknown>): Record<string, unknown> {
  return search;
}
