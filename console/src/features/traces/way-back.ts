import { tracesSearch, type TracesSearch } from './search';

const NAME = 'ken-traces-list';

/** Remember, for this tab, the list that somebody looks at. */
export function keepList(search: TracesSearch): void {
  sessionStorage.setItem(NAME, JSON.stringify(search));
}

/** The list that was looked at last in this tab; the whole one where none was. */
export function lastList(): TracesSearch {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(NAME) ?? '{}');
    return typeof kept === 'object' && kept !== null ? tracesSearch({ ...kept }) : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
