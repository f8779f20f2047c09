import { Page } from './page';
import { Fault } from './states';

export interface ForOperatorsProps {
  /** The page's title. */
  readonly title: string;
  /** Who may not see it, by name. */
  readonly name: string | undefined;
}

/** In the place of a page that the reader may not see: that it is so, and who can change it. Trying again wouldn't. */
export function ForOperators({ title, name }: ForOperatorsProps) {
  const message =
    `${name ?? 'This key'} may not see it: it takes a key with the group operators. ` +
    'Whoever runs this Ken can make one.';
  return (
    <Page title={title}>
      <Fault title="This page is for operators" error={{ message, status: 403 }} />
    </Page>
  );
}
