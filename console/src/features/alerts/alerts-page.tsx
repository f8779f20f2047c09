import { Page } from '@/ui/page';
import { Skeleton } from '@/ui/states';

/** Alerts. */
export function AlertsPage() {
  return (
    <Page title="Alerts">
      <Skeleton />
    </Page>
  );
}
