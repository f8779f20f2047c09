import { Page } from '@/ui/page';
import { Skeleton } from '@/ui/states';

/** Knowledge. */
export function KnowledgePage() {
  return (
    <Page title="Knowledge">
      <Skeleton />
    </Page>
  );
}
