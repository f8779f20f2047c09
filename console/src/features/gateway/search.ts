/** What the address of the page may say. */
export function gatewaySearch(search: Record<string, unknown>): Record<string, unknown> {
  return search;
}
