import { Page } from '@/ui/page';
import { Skeleton } from '@/ui/states';

/** Settings. */
export function SettingsPage() {
  return (
    <Page title="Settings">
      <Skeleton />
    </Page>
  );
}
