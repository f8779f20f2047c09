/** The API's shapes under the names that the console uses them by: `import type { Answer } from '@/lib/api/types'`. */
import type { components } from './schema';

/** A shape of the API by its name there. */
export type Shape<Name extends keyof components['schemas']> = components['schemas'][Name];

export type Answer = Shape<'AnswerShape'>;
export type Citation = Shape<'CitationShape'>;
export type DocumentInfo = Shape<'DocumentShape'>;
export type Me = Shape<'MeShape'>;
