import type { Episode } from './episodes';
import type { Alert } from './shapes';
import { labelsInWords } from './words';

/** One alert with all its episodes. */
export interface TimelineRow {
  readonly name: string;
  readonly alert: Alert;
  readonly episodes: readonly Episode[];
}

/** Episodes by their alert, in the order in which they come. */
export function rowsOf(episodes: readonly Episode[]): readonly TimelineRow[] {
  const rows = new Map<string, Episode[]>();
  for (const episode of episodes) {
    const own = rows.get(episode.alert.fingerprint);
    if (own === undefined) rows.set(episode.alert.fingerprint, [episode]);
    else own.push(episode);
  }
  return [...rows.values()].flatMap((own) => {
    const alert = own[0]?.alert;
    return alert === undefined
      ? []
      : [{ name: `${alert.rule} ${labelsInWords(alert.labels)}`.trim(), alert, episodes: own }];
  });
}
