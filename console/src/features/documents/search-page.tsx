import { Page } from '@/ui/page';
import { Skeleton } from '@/ui/states';

/** Search. */
export function SearchPage() {
  return (
    <Page title="Search">
      <Skeleton />
    </Page>
  );
}
