import { useQuery } from '@tanstack/react-query';
import { Library } from 'lucide-react';

import { apiQuery } from '@/lib/api/client';
import { plural } from '@/lib/format';
import { Button } from '@/ui/button';
import { Checkbox } from '@/ui/field';
import { Popover } from '@/ui/popover';

import styles from './ask-page.module.css';

export interface CollectionFilterProps {
  readonly chosen: readonly string[];
  readonly onChange: (names: readonly string[]) => void;
}

/** Which collections are looked in: all, or some of them. */
export function CollectionFilter({ chosen, onChange }: CollectionFilterProps) {
  const { data: all = [], error } = useQuery(apiQuery('/api/collections'));
  const [first] = chosen;
  const told =
    first === undefined ? 'All collections' : chosen.length === 1 ? first : plural(chosen.length, 'collection');
  return (
    <Popover
      label="Collections to look in"
      trigger={
        <Button look="quiet" small icon={<Library />} aria-label={`Look in: ${told}`}>
          {told}
        </Button>
      }
    >
      <fieldset className={styles.collections}>
        <legend>Look in</legend>
        {error !== null && <p role="alert">{error.message}</p>}
        {all.map(({ name, documents }) => (
          <Checkbox
            key={name}
            label={`${name} (${documents})`}
            checked={chosen.includes(name)}
            onChange={(event) =>
              onChange(event.target.checked ? [...chosen, name] : chosen.filter((each) => each !== name))
            }
          />
        ))}
        <Button look="quiet" small disabled={chosen.length === 0} onClick={() => onChange([])}>
          All collections
        </Button>
      </fieldset>
    </Popover>
  );
}
