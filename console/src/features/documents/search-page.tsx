import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { useState } from 'react';

import { apiQuery } from '@/lib/api/client';
import { Button } from '@/ui/button';
import { Select, TextField } from '@/ui/field';
import { Page, Panel } from '@/ui/page';
import { Empty } from '@/ui/states';

import { SearchColumn } from './search-column';
import type { PlaygroundFilters, PlaygroundSearch } from './search';
import styles from './search.module.css';

const route = getRouteApi('/search');
const DATES = [
  ['modified_from', 'Changed from'],
  ['modified_to', 'Changed until'],
  ['effective_from', 'In force from'],
  ['effective_to', 'In force until'],
] as const;
const TYPES = ['md', 'txt', 'html', 'pdf', 'docx', 'pptx', 'xlsx', 'csv'] as const;
const LIMITS = [5, 8, 20, 50] as const;

/** Search without an answer: which passages are found, why, and what another question would find. */
export function SearchPage() {
  const search = route.useSearch();
  const { q, limit = 8, with: second, with_collection: secondCollection, ...filters } = search;
  const isCompared = second !== undefined || secondCollection !== undefined;
  const asked = { q: q ?? '', limit, ...filters };
  const other = {
    ...asked,
    q: second ?? asked.q,
    ...(secondCollection === undefined ? {} : { collection: secondCollection }),
  };
  return (
    <Page
      title="Search"
      lead="What the documents hold on a question, and why each passage is found: without an answer being written."
    >
      <Form key={JSON.stringify(search)} search={search} />
      {q === undefined ? (
        <Empty title="Ask as you would ask Ken, or give a few words" icon={<Search />}>
          Each passage comes with its scores. Compare two questions, or one question in two collections, to see what
          changes.
        </Empty>
      ) : (
        <div className={isCompared ? styles.columns : undefined}>
          <SearchColumn asked={asked} against={null} title={isCompared ? titleOf(asked) : null} />
          {isCompared && <SearchColumn asked={other} against={asked} title={titleOf(other)} />}
        </div>
      )}
    </Page>
  );
}

function titleOf({ q, collection }: PlaygroundFilters & { readonly q: string }): string {
  return collection === undefined ? q : `${q} (${collection.join(', ')})`;
}

function Form({ search }: { readonly search: PlaygroundSearch }) {
  const navigate = route.useNavigate();
  const collections = useQuery(apiQuery('/api/collections'));
  const [draft, setDraft] = useState(search);
  const [isComparing, setComparing] = useState(search.with !== undefined || search.with_collection !== undefined);
  const set = (name: keyof PlaygroundSearch, value: string | readonly string[] | number) =>
    setDraft((known) => {
      const rest = Object.fromEntries(Object.entries(known).filter(([key]) => key !== name));
      return value === '' || (Array.isArray(value) && value.length === 0) ? rest : { ...rest, [name]: value };
    });
  const submit = () => {
    const { with: second, with_collection: secondCollection, ...first } = draft;
    const compared = {
      ...(second === undefined ? {} : { with: second }),
      ...(secondCollection === undefined ? {} : { with_collection: secondCollection }),
    };
    void navigate({ search: isComparing ? { ...first, ...compared } : first });
  };
  const choices = collections.data?.map(({ name }) => name) ?? [];
  return (
    <Panel>
      <form
        role="search"
        aria-label="Passages"
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <div className={styles.line}>
          <TextField
            type="search"
            label="Question"
            value={draft.q ?? ''}
            onChange={(event) => set('q', event.target.value)}
          />
          <Collections
            label="Collection"
            choices={choices}
            value={draft.collection}
            onChange={(value) => set('collection', value)}
          />
          <Select
            label="Passages"
            value={draft.limit ?? 8}
            onChange={(event) => set('limit', Number(event.target.value))}
          >
            {LIMITS.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </Select>
          <Button type="submit" look="primary" icon={<Search />} disabled={!draft.q?.trim()}>
            Search
          </Button>
        </div>
        {isComparing && (
          <div className={styles.line}>
            <TextField
              type="search"
              label="Compared with"
              placeholder="the same question"
              value={draft.with ?? ''}
              onChange={(event) => set('with', event.target.value)}
            />
            <Collections
              label="In"
              choices={choices}
              value={draft.with_collection}
              onChange={(value) => set('with_collection', value)}
            />
          </div>
        )}
        <div className={styles.more}>
          <Button small look="quiet" aria-expanded={isComparing} onClick={() => setComparing(!isComparing)}>
            {isComparing ? 'Don’t compare' : 'Compare with another search'}
          </Button>
          <Filters draft={draft} set={set} />
        </div>
      </form>
    </Panel>
  );
}

interface FiltersProps {
  readonly draft: PlaygroundSearch;
  readonly set: (name: keyof PlaygroundSearch, value: string) => void;
}

function Filters({ draft, set }: FiltersProps) {
  const given = [draft.owner, draft.type, ...DATES.map(([name]) => draft[name])].filter(Boolean).length;
  return (
    <details open={given > 0}>
      <summary>Filters{given > 0 ? ` (${given})` : ''}</summary>
      <div className={styles.line}>
        <TextField label="Owner" value={draft.owner ?? ''} onChange={(event) => set('owner', event.target.value)} />
        <Select label="Type" value={draft.type ?? ''} onChange={(event) => set('type', event.target.value)}>
          <option value="">any</option>
          {TYPES.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </Select>
        {DATES.map(([name, label]) => (
          <TextField
            key={name}
            type="date"
            label={label}
            value={draft[name] ?? ''}
            onChange={(event) => set(name, event.target.value)}
          />
        ))}
      </div>
    </details>
  );
}

interface CollectionsProps {
  readonly label: string;
  readonly choices: readonly string[];
  readonly value: readonly string[] | undefined;
  readonly onChange: (value: readonly string[]) => void;
}

function Collections({ label, choices, value, onChange }: CollectionsProps) {
  const shown = [...new Set([...choices, ...(value ?? [])])];
  return (
    <Select
      label={label}
      value={value?.[0] ?? ''}
      onChange={(event) => onChange(event.target.value === '' ? [] : [event.target.value])}
    >
      <option value="">all</option>
      {shown.map((name) => (
        <option key={name}>{name}</option>
      ))}
    </Select>
  );
}
