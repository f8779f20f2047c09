import { lazy, Suspense, useState } from 'react';

import { Skeleton } from '@/ui/states';
import { Tabs } from '@/ui/tabs';

import { DocumentText } from './document-text';
import { targetOf, type OpenedDocument, type Place } from './place';

const PdfView = lazy(() => import('./pdf-view').then((module) => ({ default: module.PdfView })));

interface DocumentBodyProps {
  readonly opened: OpenedDocument;
  readonly place: Place;
  readonly isNarrow?: boolean;
  readonly headingShift?: number;
}

/** What a document says: its text, and of a PDF the pages themselves. */
export function DocumentBody({ opened, place, isNarrow = false, headingShift = 0 }: DocumentBodyProps) {
  const isPdf = opened.document.media_type === 'application/pdf';
  const [target] = useState(() => targetOf(opened, place));
  const [shown, setShown] = useState<'pages' | 'text'>('pages');
  const text = <DocumentText opened={opened} target={target} isNarrow={isNarrow} headingShift={headingShift} />;
  if (!isPdf) return text;
  return (
    <Tabs
      label="How the document is shown"
      tabs={[
        { id: 'pages', label: 'Pages' },
        { id: 'text', label: 'Text' },
      ]}
      selected={shown}
      onSelect={setShown}
    >
      {shown === 'text' ? (
        text
      ) : (
        <Suspense fallback={<Skeleton height="40rem" />}>
          <PdfView opened={opened} target={target} page={target?.page ?? place.page} onText={() => setShown('text')} />
        </Suspense>
      )}
    </Tabs>
  );
}
