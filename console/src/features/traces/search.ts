/** What the address of the page may say. */
export function tracesSearch(search: Record<string, unknown>): Record<string, unknown> {
  return search;
}
/** What the address of the page may say. */
export function traceSearch(search: Record<string, unknown>): Record<string, unknown> {
  return search;
}
