import { getRouteApi } from '@tanstack/react-router';
import { lazy } from 'react';

import { AskPage } from '@/features/ask/ask-page';
import { SharedPage } from '@/features/ask/shared-page';

const DocumentPanel = lazy(() =>
  import('@/features/documents/document-panel').then((module) => ({ default: module.DocumentPanel })),
);

const conversation = getRouteApi('/c/$conversationId');
const shared = getRouteApi('/shared/$shareId');

/** A new conversation. */
export function AskRoute() {
  return <AskPage conversationId={null} DocumentPanel={DocumentPanel} />;
}

/** A conversation that was begun before. */
export function ConversationRoute() {
  const { conversationId } = conversation.useParams();
  return <AskPage conversationId={conversationId} DocumentPanel={DocumentPanel} />;
}

/** A conversation that somebody shares, to be read. */
export function SharedRoute() {
  const { shareId } = shared.useParams();
  return <SharedPage shareId={shareId} DocumentPanel={DocumentPanel} />;
}
