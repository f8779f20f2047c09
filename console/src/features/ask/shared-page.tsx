import { Page } from '@/ui/page';

import type { DocumentSlot } from './document-slot';

export interface SharedPageProps {
  readonly shareId: string;
  readonly DocumentPanel: DocumentSlot;
}

/** A conversation that somebody shares, to be read. */
export function SharedPage({ shareId }: SharedPageProps) {
  return <Page title="Shared conversation">{shareId}</Page>;
}
