import type { ComponentType } from 'react';

/** What the app puts beside a conversation to show a document at a passage (offsets: code points of its text). */
export type DocumentSlot = ComponentType<{
  readonly documentId: string;
  readonly start: number;
  readonly end: number;
  readonly page: number | null;
  /** Of the document, that the offsets are of; null where nothing is to be marked. */
  readonly version?: string | null;
  readonly onClose: () => void;
}>;
