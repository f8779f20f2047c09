import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState, type SubmitEvent } from 'react';

import { apiQuery } from '@/lib/api/client';
import { Button } from '@/ui/button';
import { Select, TextField } from '@/ui/field';
import { Loaded, Skeleton } from '@/ui/states';

import styles from './explain-box.module.css';
import { OutlookView } from './outlook-view';
import { useModels } from './queries';
import { without } from './search';

/** Type a question: what would happen to it and why, without a model being asked. */
export function ExplainBox({ currency }: { readonly currency: string }) {
  const { question, model } = useSearch({ from: '/gateway' });
  const navigate = useNavigate({ from: '/gateway' });
  const [typed, setTyped] = useState(question ?? '');
  const [wanted, setWanted] = useState(model ?? '');
  const models = useModels();
  const options = apiQuery('/api/gateway/explain', {
    params: { query: { question: question ?? '', ...(model === undefined ? {} : { model }) } },
  });
  const outlook = useQuery({ ...options, enabled: question !== undefined });
  const names = [
    ...(models.data?.tiers.map(({ name }) => name) ?? []),
    ...(models.data?.models.filter(({ part }) => part === 'chat' || part === 'reader').map(({ name }) => name) ?? []),
  ];
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const words = typed.trim();
    void navigate({
      search: (held) => ({
        ...without(held, 'question', 'model'),
        ...(words === '' ? {} : { question: words }),
        ...(wanted === '' ? {} : { model: wanted }),
      }),
    });
    if (words === question && wanted === (model ?? '')) void outlook.refetch();
  };
  return (
    <>
      <form className={styles.form} onSubmit={submit}>
        <div className={styles.question}>
          <TextField
            label="Question"
            required
            value={typed}
            onChange={({ target }) => setTyped(target.value)}
            placeholder="When may I take my holidays?"
          />
        </div>
        <Select label="Answered by" value={wanted} onChange={({ target }) => setWanted(target.value)}>
          <option value="">whoever Ken chooses</option>
          {[...new Set([...names, ...(wanted === '' ? [] : [wanted])])].map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </Select>
        <Button look="primary" type="submit" busy={outlook.isFetching && question !== undefined}>
          Explain
        </Button>
      </form>
      {question === undefined ? (
        <p className={styles.hint}>
          Everything runs but the model: nothing is asked of one, nothing is written, nothing is spent.
        </p>
      ) : (
        <div aria-live="polite">
          <Loaded query={outlook} failed="This question can't be explained" skeleton={<Skeleton height="16rem" />}>
            {(told) => <OutlookView outlook={told} currency={currency} />}
          </Loaded>
        </div>
      )}
    </>
  );
}
