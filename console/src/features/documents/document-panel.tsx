import { Panel } from '@/ui/page';

export interface DocumentPanelProps {
  readonly documentId: string;
  /** The passage to show: code points of the document's text. */
  readonly start: number;
  readonly end: number;
  readonly page: number | null;
  readonly onClose: () => void;
}

/** A document beside a conversation, at a passage. */
export function DocumentPanel({ documentId }: DocumentPanelProps) {
  return <Panel title={documentId}>…</Panel>;
}
