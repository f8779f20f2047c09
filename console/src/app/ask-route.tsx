import { getRouteApi, useParams } from '@tanstack/react-router';
import { lazy } from 'react';

import { AskPage } from '@/features/ask/ask-page';
import { SharedPage } from '@/features/ask/shared-page';

const DocumentPanel = lazy(() =>
  import('@/features/documents/document-panel').then((module) => ({ default: module.DocumentPanel })),
);

const shared = getRouteApi('/shared/$shareId');

/** A conversation: a new one, or one that was begun before. */
export function AskRoute() {
  const { conversationId } = useParams({ strict: false });
  return <AskPage conversationId={conversationId ?? null} DocumentPanel={DocumentPanel} />;
}

/** A conversation that somebody shares, to be read. */
export function SharedRoute() {
  const { shareId } = shared.useParams();
  return <SharedPage shareId={shareId} DocumentPanel={DocumentPanel} />;
}
