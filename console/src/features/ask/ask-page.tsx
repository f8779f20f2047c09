import { Page } from '@/ui/page';

import type { DocumentSlot } from './document-slot';

export interface AskPageProps {
  /** null: a new one. */
  readonly conversationId: string | null;
  readonly DocumentPanel: DocumentSlot;
}

/** Ask, read, look back. */
export function AskPage({ conversationId }: AskPageProps) {
  return <Page title="Ask">{conversationId}</Page>;
}
