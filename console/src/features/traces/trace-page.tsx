import { Page } from '@/ui/page';
import { Skeleton } from '@/ui/states';

/** Trace. */
export function TracePage() {
  return (
    <Page title="Trace">
      <Skeleton />
    </Page>
  );
}
