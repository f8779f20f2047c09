import { useQuery } from '@tanstack/react-query';

import { apiQuery } from '@/lib/api/client';
import { Badge } from '@/ui/badge';
import { CopyButton } from '@/ui/copy-button';
import { Checkbox, TextField } from '@/ui/field';
import { Panel } from '@/ui/page';
import { Empty, Loaded } from '@/ui/states';
import { Table, type Column } from '@/ui/table';

import type { SettingsSearch } from './search';
import { shown, sought, whereFrom } from './setting-words';
import styles from './settings.module.css';
import type { Setting } from './types';

export interface EffectiveTabProps {
  readonly search: SettingsSearch;
  readonly onSearch: (search: SettingsSearch) => void;
}

/** The settings in force, each with where it came from. They are changed where they stand, not here. */
export function EffectiveTab({ search, onSearch }: EffectiveTabProps) {
  const told = useQuery(apiQuery('/api/settings'));
  const { q, defaults, ...rest } = search;
  return (
    <Panel title="Settings in force">
      <Loaded query={told} failed="The settings can't be shown">
        {(inForce) => {
          const rows = sought(inForce.settings, { words: q ?? '', defaults: defaults === true });
          return (
            <>
              <p className={styles.soft}>
                The command line comes before the environment, that before the file, that before the default. They are
                changed where they stand; of the file a running Ken follows the sources, and reads everything else when
                it starts.
              </p>
              <div className={styles.words}>
                <code className={styles.value}>{inForce.file}</code>
                <CopyButton text={inForce.file} label="Copy path" />
                {!inForce.is_there && <Badge>isn't there: defaults hold</Badge>}
              </div>
              {inForce.has_changed && (
                <p className={styles.warning} role="status">
                  The file is no longer what this Ken read: what changed, but for the sources, is in force after the
                  next start.
                </p>
              )}
              <div className={styles.row}>
                <TextField
                  label="Find"
                  type="search"
                  value={q ?? ''}
                  onChange={(event) =>
                    onSearch({
                      ...rest,
                      ...(defaults === true ? { defaults } : {}),
                      ...(event.target.value === '' ? {} : { q: event.target.value }),
                    })
                  }
                />
                <Checkbox
                  label={`Those that are as they ship, too (${inForce.settings.length} in all)`}
                  checked={defaults === true}
                  onChange={(event) =>
                    onSearch({
                      ...rest,
                      ...(q === undefined ? {} : { q }),
                      ...(event.target.checked ? { defaults: true } : {}),
                    })
                  }
                />
              </div>
              <Table
                label="Settings"
                columns={COLUMNS}
                rows={rows}
                rowKey={(setting) => setting.name}
                empty={
                  <Empty title="No setting is like that">
                    {defaults === true ? 'Try other words.' : 'Those that are as they ship are not shown.'}
                  </Empty>
                }
              />
            </>
          );
        }}
      </Loaded>
    </Panel>
  );
}

const COLUMNS: readonly Column<Setting>[] = [
  { id: 'name', head: 'Setting', cell: (setting) => <code className={styles.value}>{setting.name}</code> },
  {
    id: 'value',
    head: 'Value',
    cell: (setting) => (
      <>
        <span className={styles.value}>{shown(setting.value)}</span>
        {setting.origin !== 'default' && setting.default !== null && !setting.is_secret && (
          <p className={styles.fine}>
            ships as <span className={styles.value}>{shown(setting.default)}</span>
          </p>
        )}
      </>
    ),
  },
  {
    id: 'origin',
    head: 'From',
    cell: (setting) => (
      <span className={styles.words}>
        {whereFrom(setting)}
        {setting.is_live && <Badge tone="good">followed while Ken runs</Badge>}
      </span>
    ),
  },
  {
    id: 'variable',
    head: 'Variable',
    secondary: true,
    cell: (setting) => (setting.variable === null ? '' : <code>{setting.variable}</code>),
  },
];
