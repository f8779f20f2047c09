import { describe, expect, it } from 'vitest';

import { sourceName, syncCommand } from './source-name';

describe('a source', () => {
  it.each([
    ['papers', 'papers'],
    ['uploads:notes', 'uploads:notes'],
    ['folder:handbook:/srv/example/handbook', 'folder handbook'],
    ['folder:hr:/srv/staff papers/', 'folder staff papers'],
  ])('%s is called %s', (id, name) => {
    expect(sourceName(id)).toBe(name);
  });

  it('that ken.toml does not name has a command that syncs it, in quotes where it takes them', () => {
    const folder = { kind: 'folder', is_named: false, location: '/srv/hr', collection: 'hr' };
    expect(syncCommand(folder)).toBe('ken sync /srv/hr --collection hr');
    expect(syncCommand({ ...folder, location: "/srv/our people's" })).toBe(
      "ken sync '/srv/our people'\\''s' --collection hr",
    );
    expect(syncCommand({ ...folder, is_named: true })).toBeNull();
    expect(syncCommand({ ...folder, kind: 'uploads' })).toBeNull();
  });
});
