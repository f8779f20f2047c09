import { Page } from '@/ui/page';
import { Skeleton } from '@/ui/states';

/** Gateway. */
export function GatewayPage() {
  return (
    <Page title="Gateway">
      <Skeleton />
    </Page>
  );
}
