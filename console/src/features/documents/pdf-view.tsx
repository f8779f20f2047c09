import { useQuery } from '@tanstack/react-query';
import { ChevronLeft, ChevronRight, ZoomIn, ZoomOut } from 'lucide-react';
import type { PDFDocumentProxy } from 'pdfjs-dist';
import { useEffect, useState } from 'react';

import { Button, IconButton } from '@/ui/button';
import { Empty, Skeleton } from '@/ui/states';

import styles from './document.module.css';
import { originalQuery } from './original';
import { openPdf } from './pdf';
import { PdfPage } from './pdf-page';
import type { OpenedDocument, Target } from './place';
import { useQuotedPage } from './quoted-page';

interface PdfViewProps {
  readonly opened: OpenedDocument;
  readonly target: Target | null;
  /** From one. */
  readonly page: number | null;
  readonly onText: () => void;
}

type Opening = { readonly pdf: PDFDocumentProxy } | { readonly fault: string } | null;

const ZOOMS = [0.6, 0.8, 1, 1.25, 1.6, 2] as const;

/** The pages of a PDF as they were made, with the cited words marked on theirs. */
export function PdfView({ opened, target, page, onText }: PdfViewProps) {
  const file = useQuery(originalQuery(opened.document.id, opened.document.version));
  const opening = useOpened(file.data);
  const quote = target === null ? '' : Array.from(opened.text).slice(target.start, target.end).join('');
  const pdf = opening !== null && 'pdf' in opening ? opening.pdf : null;
  const found = useQuotedPage(pdf, page ?? 1, quote);
  const [chosen, setShown] = useState<number | null>(null);
  const [zoom, setZoom] = useState(2);
  const fault = file.error?.message ?? (opening !== null && 'fault' in opening ? opening.fault : null);
  if (fault !== null) {
    return (
      <Empty title="The pages can’t be shown" action={<Button onClick={onText}>Show the text</Button>}>
        {fault}
      </Empty>
    );
  }
  const shown = chosen ?? found;
  if (pdf === null || shown === null) return <Skeleton height="40rem" />;
  const number = Math.min(Math.max(1, shown), pdf.numPages);
  return (
    <div className={styles.pdf}>
      <div className={styles.tools} role="group" aria-label="Pages">
        <IconButton label="The page before" disabled={number <= 1} onClick={() => setShown(number - 1)}>
          <ChevronLeft />
        </IconButton>
        <span role="status">
          Page {number} of {pdf.numPages}
        </span>
        <IconButton label="The next page" disabled={number >= pdf.numPages} onClick={() => setShown(number + 1)}>
          <ChevronRight />
        </IconButton>
        <IconButton label="Smaller" disabled={zoom === 0} onClick={() => setZoom(zoom - 1)}>
          <ZoomOut />
        </IconButton>
        <IconButton label="Larger" disabled={zoom === ZOOMS.length - 1} onClick={() => setZoom(zoom + 1)}>
          <ZoomIn />
        </IconButton>
      </div>
      <PdfPage key={number} pdf={pdf} number={number} scale={ZOOMS[zoom] ?? 1} quote={quote} />
    </div>
  );
}

function useOpened(file: Blob | undefined): Opening {
  const [opening, setOpening] = useState<Opening>(null);
  useEffect(() => {
    if (file === undefined) return undefined;
    const ended = new AbortController();
    const isOver = () => ended.signal.aborted;
    void file.arrayBuffer().then(async (data) => {
      if (isOver()) return;
      const task = openPdf(data);
      ended.signal.addEventListener('abort', task.close);
      try {
        const pdf = await task.opened;
        if (!isOver()) setOpening({ pdf });
      } catch (error) {
        if (isOver()) return;
        setOpening({ fault: `This file can’t be drawn: ${error instanceof Error ? error.message : String(error)}` });
      }
    });
    return () => ended.abort();
  }, [file]);
  return opening;
}
