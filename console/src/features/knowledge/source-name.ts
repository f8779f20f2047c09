import { UPLOADS, type Source } from './queries';

/** What a source is called: a name of ken.toml as it is; of one that the command brought, its kind and the last part of its place. */
export function sourceName(id: string): string {
  const [kind = '', , ...rest] = id.split(':');
  const last = rest.join(':').split(/[/\\]/).findLast(Boolean);
  return last === undefined ? id : `${kind} ${last}`;
}

/** The command that syncs a source again which ken.toml doesn't name; null where no command does. */
export function syncCommand(source: Pick<Source, 'kind' | 'is_named' | 'location' | 'collection'>): string | null {
  if (source.is_named || source.kind === UPLOADS || source.kind !== 'folder') return null;
  const place = /^[\w./:@%+=,-]+$/.test(source.location)
    ? source.location
    : `'${source.location.replaceAll("'", "'\\''")}'`;
  return `ken sync ${place} --collection ${source.collection}`;
}
