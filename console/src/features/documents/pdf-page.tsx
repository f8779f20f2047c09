import { Util, type PDFDocumentProxy, type PDFPageProxy } from 'pdfjs-dist';
import { useEffect, useRef, useState } from 'react';

import styles from './document.module.css';
import { quotedParts, shareOf } from './quoted';

/** Of a line's height. */
const EDGE = 0.12;

interface PdfPageProps {
  readonly pdf: PDFDocumentProxy;
  readonly number: number;
  /** Of the width that there is. */
  readonly scale: number;
  readonly quote: string;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

interface Drawn {
  readonly text: string;
  /** Shares of the page's width and height. */
  readonly boxes: readonly Box[];
}

/** One page, drawn to the width that there is, with the quoted words marked and its text for those who don't see it. */
export function PdfPage({ pdf, number, scale, quote }: PdfPageProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [drawn, setDrawn] = useState<Drawn | null>(null);
  const [fault, setFault] = useState('');
  useEffect(() => {
    const ended = new AbortController();
    const isOver = () => ended.signal.aborted;
    const draw = async () => {
      const page = await pdf.getPage(number);
      const target = canvas.current;
      if (isOver() || target === null) return;
      const viewport = page.getViewport({ scale: 1 });
      const width = Math.min(1000, target.parentElement?.parentElement?.clientWidth ?? 800) * scale;
      const dense = page.getViewport({ scale: (width / viewport.width) * Math.min(2, window.devicePixelRatio || 1) });
      target.width = Math.floor(dense.width);
      target.height = Math.floor(dense.height);
      target.style.width = `${width}px`;
      const task = page.render({ canvas: target, viewport: dense });
      ended.signal.addEventListener('abort', () => task.cancel());
      await task.promise;
      const told = await marked(page, quote);
      if (!isOver()) setDrawn(told);
    };
    draw().catch((error: unknown) => {
      if (!isOver()) setFault(error instanceof Error ? error.message : String(error));
    });
    return () => ended.abort();
  }, [pdf, number, scale, quote]);
  return (
    <div className={styles.paperScroll}>
      {fault && <p role="alert">This page can’t be drawn: {fault}</p>}
      <div
        className={styles.paper}
        role="group"
        aria-label={`Page ${number}`}
        aria-busy={drawn === null && fault === ''}
      >
        <canvas ref={canvas} aria-hidden="true" />
        {drawn?.boxes.map((box, index) => (
          <mark
            key={index}
            ref={index === 0 ? (first) => first?.scrollIntoView({ block: 'center' }) : null}
            className={styles.box}
            style={{
              left: percent(box.left),
              top: percent(box.top),
              width: percent(box.width),
              height: percent(box.height),
            }}
            aria-label="Cited"
          />
        ))}
        <p className="unseen">{drawn?.text}</p>
      </div>
    </div>
  );
}

function percent(share: number): string {
  return `${share * 100}%`;
}

/** The page's text, and where the quoted words stand on it. */
async function marked(page: PDFPageProxy, quote: string): Promise<Drawn> {
  const viewport = page.getViewport({ scale: 1 });
  const { items, styles: fonts } = await page.getTextContent();
  const brush = document.createElement('canvas').getContext('2d');
  const pieces = items.flatMap((item) => ('str' in item ? [{ text: item.str, item }] : []));
  const boxes = quotedParts(pieces, quote).flatMap((part) => {
    const piece = pieces[part.index];
    if (!piece) return [];
    const { width, height, transform } = piece.item;
    const [, , , , x, y] = Util.transform(viewport.transform, transform as number[]) as number[];
    const family = fonts[piece.item.fontName]?.fontFamily ?? 'sans-serif';
    if (brush !== null) brush.font = `100px ${family}`;
    const share = (at: number) => shareOf(piece.text, at, (some) => brush?.measureText(some).width ?? some.length);
    // The widths are those of a font like it: a letter's edge is better marked too far than cut.
    const [from, to] = [share(part.from), share(part.to)];
    const edge = EDGE * height;
    const left = (x ?? 0) + Math.max(0, width * from - edge);
    return [
      {
        left: left / viewport.width,
        top: ((y ?? 0) - height) / viewport.height,
        width: ((x ?? 0) + Math.min(width, width * to + edge) - left) / viewport.width,
        height: (height * 1.25) / viewport.height,
      },
    ];
  });
  return { text: pieces.map((piece) => piece.text).join(' '), boxes };
}
