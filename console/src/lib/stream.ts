import { send } from './api/client';
import { ApiError, errorOf } from './api/error';

/** One server-sent event; `data` is parsed JSON. */
export interface ServerEvent {
  readonly name: string;
  readonly data: unknown;
}

/**
 * The events of a request as they come (HTML living standard, section 9.2.6), over fetch, as EventSource can send neither a key
 * nor a body. Ends with the stream. Throws ApiError: for a refusal, and where the connection breaks.
 */
export async function* events(
  path: string,
  options: { method?: 'GET' | 'POST'; body?: unknown; signal?: AbortSignal; onOpen?: (headers: Headers) => void } = {},
): AsyncGenerator<ServerEvent> {
  const { method = 'GET', body, signal, onOpen } = options;
  const headers: Record<string, string> = { accept: 'text/event-stream' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const response = await send(
    new Request(path, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    }),
  );
  if (!response.ok || response.body === null) throw errorOf(response, await response.json().catch(() => null));
  onOpen?.(response.headers);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = '';
  try {
    for (;;) {
      const { done, value } = await read(reader);
      if (done) return;
      const blocks = (pending + value).split('\n\n');
      pending = blocks.pop() ?? '';
      for (const block of blocks) {
        const event = parsed(block);
        if (event !== null) yield event;
      }
    }
  } finally {
    // A reader that is left before the end hangs up, so that the server stops its work too.
    reader.cancel().catch(() => undefined);
  }
}

async function read(reader: ReadableStreamDefaultReader<string>): Promise<ReadableStreamReadResult<string>> {
  try {
    return await reader.read();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError('The connection broke before the end.', 0);
  }
}

function parsed(block: string): ServerEvent | null {
  let name = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    if (line.startsWith('event: ')) name = line.slice(7);
    else if (line.startsWith('data: ')) data.push(line.slice(6));
  }
  return data.length === 0 ? null : { name, data: JSON.parse(data.join('\n')) as unknown };
}
