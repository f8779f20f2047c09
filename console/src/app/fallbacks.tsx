import { Link } from '@tanstack/react-router';

import { Empty, Fault, Skeleton } from '@/ui/states';
import { Page } from '@/ui/page';

/** While a page's scripts are on their way. */
export function Waiting() {
  return (
    <Page title={<span className="unseen">Loading</span>}>
      <Skeleton height="60vh" />
    </Page>
  );
}

/** An address that leads nowhere. */
export function NotFound() {
  return (
    <Page title="There is no such page">
      <Empty title="This address leads nowhere" action={<Link to="/">Ask a question</Link>}>
        It may have been cut off on its way here.
      </Empty>
    </Page>
  );
}

/** A page broke, or its scripts could not be had: after an update of Ken the old ones are gone. */
export function Broken({ error }: { readonly error: unknown }) {
  const message = error instanceof Error ? error.message : String(error);
  return (
    <Page title="This page broke">
      <Fault
        title="Something on this page went wrong"
        error={{ message: `${message} If Ken was updated meanwhile, loading the page again is all it takes.` }}
        onRetry={() => window.location.reload()}
      />
    </Page>
  );
}
