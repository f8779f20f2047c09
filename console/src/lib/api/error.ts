/** What Ken said was wrong, or why it could not be asked. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    message: string,
    /** The HTTP status; 0 where no answer came. */
    readonly status: number,
    /** The name of the error as `docs/api.md` lists them, such as `NotFound`; empty where no answer came. */
    readonly kind = '',
    /** Of the trace that has the details. */
    readonly traceId: string | null = null,
    /** Seconds after which it may be tried again, where Ken says so. */
    readonly retryAfterS: number | null = null,
  ) {
    super(message);
  }

  /** Whether a key is missing or isn't known. */
  get needsKey(): boolean {
    return this.status === 401;
  }

  /** Whether asking again can help: nothing was wrong with the question. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** The error of an answer that wasn't a success, from its body where it has the API's shape. */
export function errorOf(response: Response, body: unknown): ApiError {
  const told = isObject(body) && isObject(body.error) ? body.error : {};
  const after = Number(response.headers.get('retry-after') ?? NaN);
  return new ApiError(
    text(told.message) ?? `Ken answered with the status ${response.status}.`,
    response.status,
    text(told.kind) ?? '',
    text(told.trace_id),
    Number.isFinite(after) ? after : null,
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
