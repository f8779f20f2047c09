import { getDocument, GlobalWorkerOptions, type PDFDocumentProxy } from 'pdfjs-dist';
import workerUrl from 'pdfjs-dist/build/pdf.worker.min.mjs?url';

// Its own file of this origin: what is in a PDF runs in no script, and nothing is fetched from elsewhere.
GlobalWorkerOptions.workerSrc = workerUrl;

/** Opens the bytes of a PDF; `close` lets go of it and its worker. */
export function openPdf(data: ArrayBuffer): { readonly opened: Promise<PDFDocumentProxy>; readonly close: () => void } {
  const task = getDocument({
    data,
    isEvalSupported: false,
    enableXfa: false,
    useWasm: false,
    disableAutoFetch: true,
    disableStream: true,
  });
  return { opened: task.promise, close: () => void task.destroy() };
}
