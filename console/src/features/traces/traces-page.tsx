import { Page } from '@/ui/page';
import { Skeleton } from '@/ui/states';

/** Traces. */
export function TracesPage() {
  return (
    <Page title="Traces">
      <Skeleton />
    </Page>
  );
}
