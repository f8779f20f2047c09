import { describe, expect, it } from 'vitest';

import { addressOf, found, namedIn, read, typeOf } from './description';

const RAW = {
  paths: {
    '/api/traces': {
      get: {
        operationId: 'traces',
        tags: ['traces'],
        summary: 'Which questions were asked?',
        parameters: [
          { name: 'limit', in: 'query', schema: { type: 'integer', default: 50 } },
          {
            name: 'where',
            in: 'query',
            schema: { anyOf: [{ type: 'array', items: { type: 'string' } }, { type: 'null' }] },
          },
        ],
        responses: { 200: { description: 'Successful Response' }, 422: { description: 'Validation Error' } },
      },
    },
    '/api/documents/{document_id}': {
      get: {
        operationId: 'document',
        tags: ['documents'],
        parameters: [{ name: 'document_id', in: 'path', required: true }],
      },
      delete: { operationId: 'forget', tags: ['documents'], summary: 'Delete a document' },
    },
  },
  components: { schemas: { A: { type: 'object' } } },
} as const;
const { operations } = read(RAW);
const [traces, document] = operations;

describe('what is told of an operation', () => {
  it('has no answer that Ken never sends', () => {
    expect(traces?.answers.map(({ status }) => status)).toEqual(['200']);
  });

  it('is found by words of its path, its purpose and its parameters', () => {
    expect(found(operations, 'questions limit').map(({ id }) => id)).toEqual(['traces']);
    expect(found(operations, 'delete document').map(({ id }) => id)).toEqual(['forget']);
    expect(found(operations, 'nothing of it')).toEqual([]);
  });
});

describe('a type in words', () => {
  it.each([
    [{ $ref: '#/components/schemas/A' }, 'A'],
    [{ anyOf: [{ type: 'null' }, { type: 'string' }] }, 'text or null'],
    [{ type: 'array', items: { $ref: '#/components/schemas/A' } }, 'list of A'],
    [{ type: 'object', additionalProperties: { type: 'number' } }, 'object of number'],
    [{ enum: ['hard', 'soft'] }, '"hard", "soft"'],
    [undefined, 'any value'],
  ])('%j is %s', (schema, words) => {
    expect(typeOf(schema)).toBe(words);
  });

  it('names the schemas within it once', () => {
    const inner = { $ref: '#/components/schemas/A' };
    expect(namedIn({ anyOf: [{ type: 'array', items: inner }, inner, { type: 'null' }] })).toEqual(['A']);
  });
});

describe('an address', () => {
  it('leaves out what is empty and parts a list', () => {
    if (traces === undefined) throw new Error('not read');
    expect(addressOf(traces, { limit: ' ', where: 'a=b, c=d' })).toBe('/api/traces?where=a%3Db&where=c%3Dd');
  });

  it('keeps the slashes of a document’s id, and encodes the rest', () => {
    if (document === undefined) throw new Error('not read');
    expect(addressOf(document, { document_id: 'hand book/leave?.md' })).toBe('/api/documents/hand%20book/leave%3F.md');
  });
});
