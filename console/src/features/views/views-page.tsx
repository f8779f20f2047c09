import { Page } from '@/ui/page';
import { Skeleton } from '@/ui/states';

/** Views. */
export function ViewsPage() {
  return (
    <Page title="Views">
      <Skeleton />
    </Page>
  );
}
