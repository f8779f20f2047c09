import { ApiError } from '@/lib/api/error';
import { storedKey } from '@/lib/key';

/** A file on its way. */
export interface Upload {
  /** `collection/path`: the document that it becomes. */
  readonly document: string;
  readonly file: File;
  readonly state: 'waiting' | 'sending' | 'reading' | 'done' | 'failed';
  /** How much is sent, from 0 to 1. */
  readonly sent: number;
  readonly error: string;
}

export interface Found {
  readonly file: File;
  /** Its path below what was dropped or chosen. */
  readonly path: string;
}

const AT_ONCE = 3;

/**
 * Sends files a few at a time, and says how it goes; `change` gets every new state. Returns when all are done.
 * `send` is how one is sent.
 */
export async function sendAll(
  uploads: readonly Upload[],
  change: (document: string, to: Partial<Upload>) => void,
  send: (upload: Upload, progress: (sent: number) => void) => Promise<void>,
): Promise<void> {
  const waiting = [...uploads];
  const work = async () => {
    for (let upload = waiting.shift(); upload !== undefined; upload = waiting.shift()) {
      const { document } = upload;
      change(document, { state: 'sending', sent: 0, error: '' });
      try {
        await send(upload, (sent) => change(document, { sent, state: sent >= 1 ? 'reading' : 'sending' }));
        change(document, { state: 'done', sent: 1 });
      } catch (error) {
        change(document, { state: 'failed', error: error instanceof Error ? error.message : 'It could not be sent.' });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Send one file; by XMLHttpRequest, as fetch doesn't tell how much is sent. Throws ApiError. */
export function sendFile(upload: Upload, groups: string | null, progress: (sent: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const path = upload.document.split('/').map(encodeURIComponent).join('/');
    const query = groups === null ? '' : `?groups=${encodeURIComponent(groups)}`;
    request.open('PUT', `/api/documents/${path}${query}`);
    request.setRequestHeader('content-type', 'application/octet-stream');
    const key = storedKey();
    if (key !== null) request.setRequestHeader('authorization', `Bearer ${key}`);
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) progress(event.loaded / event.total);
    };
    request.upload.onload = () => progress(1);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else
        reject(
          new ApiError(
            messageOf(request.responseText) ?? `Ken answered with the status ${request.status}.`,
            request.status,
          ),
        );
    };
    request.onerror = () => reject(new ApiError("Ken can't be reached, or took no more of this file.", 0));
    request.send(upload.file);
  });
}

function messageOf(body: string): string | null {
  try {
    const told = JSON.parse(body) as { error?: { message?: unknown } };
    return typeof told.error?.message === 'string' ? told.error.message : null;
  } catch {
    return null; // a proxy's page
  }
}

/** The files of a drop, those in folders with their paths; what hides (a leading dot) is left out. */
export async function droppedFiles(data: DataTransfer): Promise<Found[]> {
  const entries = Array.from(data.items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return Array.from(data.files, (file) => ({ file, path: file.name }));
  const found: Found[] = [];
  for (const entry of entries) await walk(entry, '', found);
  return found.filter(isShown);
}

/** The files of an input, those of a chosen folder with their paths. */
export function chosenFiles(files: FileList): Found[] {
  return Array.from(files, (file) => ({ file, path: file.webkitRelativePath || file.name })).filter(isShown);
}

async function walk(entry: FileSystemEntry, before: string, found: Found[]): Promise<void> {
  const path = `${before}${entry.name}`;
  if (entry instanceof FileSystemFileEntry) {
    found.push({ path, file: await new Promise<File>((resolve, reject) => entry.file(resolve, reject)) });
  } else if (entry instanceof FileSystemDirectoryEntry) {
    const reader = entry.createReader();
    for (;;) {
      // A reader gives some at a time, and none at the end.
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) return;
      for (const each of some) await walk(each, `${path}/`, found);
    }
  }
}

function isShown({ path }: Found): boolean {
  return !path.split('/').some((part) => part.startsWith('.'));
}

/** What is wrong with a collection's name; null where nothing is. */
export function nameFault(name: string): string | null {
  if (name === '') return 'Say which collection the documents go to.';
  return name.includes('/') ? 'A collection has no / in its name.' : null;
}
