/** What the address of the page may say. */
export function askSearch(search: Record<string, unknown>): Record<string, unknown> {
  return search;
}
