/** What the address of the page may say. */
export function documentSearch(search: Record<string, unknown>): Record<string, unknown> {
  return search;
}
/** What the address of the page may say. */
export function playgroundSearch(search: Record<string, unknown>): Record<string, unknown> {
  return search;
}
