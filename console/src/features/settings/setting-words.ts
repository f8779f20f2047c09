import type { Setting } from './types';

/** A setting's value as ken.toml would have it, in one line. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'string') return value === '' ? 'empty' : value;
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(shown).join(', ');
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'none' : JSON.stringify(value);
  return JSON.stringify(value);
}

/** Where a setting came from, in words. */
export function whereFrom(setting: Setting): string {
  const ofFile = setting.line === null ? '' : `line ${setting.line} of ken.toml`;
  switch (setting.origin) {
    case 'file':
      return ofFile;
    case 'default':
      return 'as it ships';
    case 'environment':
      return `the environment${ofFile === '' ? '' : `, before ${ofFile}`}`;
    case 'command line':
      return `the command line${ofFile === '' ? '' : `, before ${ofFile}`}`;
  }
}

/** Settings whose name, value or origin has all of the words; those that are as they ship where they are wanted, too. */
export function sought(
  settings: readonly Setting[],
  { words, defaults }: { readonly words: string; readonly defaults: boolean },
): readonly Setting[] {
  const parts = words.toLowerCase().split(/\s+/).filter(Boolean);
  return settings.filter((setting) => {
    if (!defaults && setting.origin === 'default') return false;
    const text =
      `${setting.name} ${shown(setting.value)} ${setting.variable ?? ''} ${whereFrom(setting)}`.toLowerCase();
    return parts.every((part) => text.includes(part));
  });
}
