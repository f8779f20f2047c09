import type { ComponentType } from 'react';

/** What the app puts beside a conversation to show a document at a passage (offsets: code points of its text). */
export type DocumentSlot = ComponentType<{
  readonly documentId: string;
  readonly start: number;
  readonly end: number;
  readonly page: number | null;
  readonly onClose: () => void;
}>;
