import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ArrowLeft } from 'lucide-react';

import { apiQuery } from '@/lib/api/client';
import { Loaded, Skeleton } from '@/ui/states';

import styles from './rule-editor.module.css';
import { RuleEditorForm } from './rule-editor-form';

/** A rule in its editor; null: a new one. */
export function RuleEditor({ name }: { readonly name: string | null }) {
  return (
    <div className={styles.editor}>
      <Link to="/alerts" search={{ tab: 'rules' }} className={styles.back}>
        <ArrowLeft size={16} aria-hidden="true" /> All rules
      </Link>
      {name === null ? <RuleEditorForm form={null} /> : <Known name={name} />}
    </div>
  );
}

function Known({ name }: { readonly name: string }) {
  // Kept as it was when it was opened: what is being written isn't overwritten by what others change.
  const query = useQuery({
    ...apiQuery('/api/alerts/rules/{name}', { params: { path: { name } } }),
    staleTime: 0,
    refetchOnMount: 'always',
  });
  const fresh = { ...query, data: query.isFetchedAfterMount ? query.data : undefined };
  return (
    <Loaded query={fresh} failed="The rule can't be shown" skeleton={<Skeleton height="40rem" />}>
      {(form) => <RuleEditorForm form={form} />}
    </Loaded>
  );
}
