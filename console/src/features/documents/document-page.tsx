import { Page } from '@/ui/page';
import { Skeleton } from '@/ui/states';

/** Document. */
export function DocumentPage() {
  return (
    <Page title="Document">
      <Skeleton />
    </Page>
  );
}
