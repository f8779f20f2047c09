import { Page } from '@/ui/page';
import { Skeleton } from '@/ui/states';

/** API reference. */
export function ReferencePage() {
  return (
    <Page title="API reference">
      <Skeleton />
    </Page>
  );
}
