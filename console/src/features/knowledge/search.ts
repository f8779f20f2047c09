/** What the address of the page may say. */
export function knowledgeSearch(search: Record<string, unknown>): Record<string, unknown> {
  return search;
}
