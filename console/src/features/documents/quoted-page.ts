import type { PDFDocumentProxy } from 'pdfjs-dist';
import { useEffect, useState } from 'react';

import { quotedLength, quoteLength, type PagePiece } from './quoted';

/** So many pages are looked at, from the named one outwards. */
const LOOKED_AT = 60;

/** The page that holds most of a quotation, from one; the one that was named where none holds any of it. */
export async function quotedPage(
  pieces: (page: number) => Promise<readonly PagePiece[]>,
  { named, pages, quote }: { readonly named: number; readonly pages: number; readonly quote: string },
): Promise<number> {
  const whole = quoteLength(quote);
  if (whole === 0) return named;
  const near = Array.from({ length: pages }, (_, index) => index + 1)
    .sort((one, other) => Math.abs(one - named) - Math.abs(other - named))
    .slice(0, LOOKED_AT);
  let best = { page: named, length: 0 };
  for (const page of near) {
    const length = quotedLength(await pieces(page), quote);
    if (length > best.length) best = { page, length };
    if (length >= whole) break;
  }
  return best.page;
}

/** As `quotedPage`, of an open PDF; null while it is looked for. */
export function useQuotedPage(pdf: PDFDocumentProxy | null, named: number, quote: string): number | null {
  const [found, setFound] = useState<number | null>(null);
  useEffect(() => {
    if (pdf === null) return undefined;
    const ended = new AbortController();
    quotedPage(async (number) => piecesOf(await (await pdf.getPage(number)).getTextContent()), {
      named: Math.min(Math.max(1, named), pdf.numPages),
      pages: pdf.numPages,
      quote,
    }).then(
      (page) => {
        if (!ended.signal.aborted) setFound(page);
      },
      () => {
        if (!ended.signal.aborted) setFound(named);
      },
    );
    return () => ended.abort();
  }, [pdf, named, quote]);
  return found;
}

function piecesOf({ items }: { readonly items: readonly object[] }): readonly PagePiece[] {
  return items.flatMap((item) => ('str' in item ? [{ text: String(item.str) }] : []));
}
