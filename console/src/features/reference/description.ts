/** The parts of OpenAPI 3.1 that Ken's description of itself is made of. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
}

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path' | 'header';
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>;

export interface Answer {
  readonly status: string;
  readonly description: string;
  readonly content: Content;
}

export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
  readonly body: Content;
  readonly answers: readonly Answer[];
}

interface Raw {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

interface RawOperation {
  readonly operationId: string;
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses?: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}

export interface Description {
  readonly operations: readonly Operation[];
  readonly schemas: Readonly<Record<string, Schema>>;
}

/** FastAPI's own shape of a refused body; Ken answers in its own instead. */
const NEVER_SENT = '422';

/** What stands in /openapi.json, as operations in the order of their tags. */
export function read(raw: Raw): Description {
  const operations = Object.entries(raw.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, about]) => operationOf(path, method, about)),
  );
  const tags = [...new Set(operations.map(({ tag }) => tag))];
  return {
    operations: operations.sort((one, other) => tags.indexOf(one.tag) - tags.indexOf(other.tag)),
    schemas: raw.components?.schemas ?? {},
  };
}

function operationOf(path: string, method: string, about: RawOperation): Operation {
  return {
    id: about.operationId,
    method,
    path,
    tag: about.tags?.[0] ?? 'other',
    summary: about.summary ?? '',
    description: about.description ?? '',
    parameters: about.parameters ?? [],
    body: about.requestBody?.content ?? {},
    answers: Object.entries(about.responses ?? {})
      .filter(([status]) => status !== NEVER_SENT)
      .map(([status, { description, content }]) => ({ status, description, content: content ?? {} })),
  };
}

/** Operations by their tag. */
export function byTag(
  operations: readonly Operation[],
): readonly (readonly [tag: string, operations: readonly Operation[]])[] {
  const tags = new Map<string, Operation[]>();
  for (const each of operations) {
    const known = tags.get(each.tag);
    if (known === undefined) tags.set(each.tag, [each]);
    else known.push(each);
  }
  return [...tags];
}

/** Operations in which every word is found: in the path, the summary, the description, a parameter. */
export function found(operations: readonly Operation[], sought: string): readonly Operation[] {
  const words = sought.toLowerCase().split(/\s+/).filter(Boolean);
  return operations.filter((each) => {
    const text = [
      each.method,
      each.path,
      each.summary,
      each.description,
      each.tag,
      ...each.parameters.map(({ name }) => name),
    ]
      .join(' ')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** The name at the end of a reference within the description. */
export function nameOf(reference: string): string {
  return reference.split('/').at(-1) ?? reference;
}

/** A type in words: text, whole number, list of AlertShape. */
export function typeOf(schema: Schema | undefined): string {
  if (schema === undefined) return 'any value';
  if (schema.$ref !== undefined) return nameOf(schema.$ref);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) {
    const told = choices.filter(({ type }) => type !== 'null').map(typeOf);
    return [...told, ...(choices.length === told.length ? [] : ['null'])].join(' or ');
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((each) => JSON.stringify(each)).join(', ');
  switch (schema.type) {
    case 'array':
      return `list of ${schema.items === undefined ? 'values' : typeOf(schema.items)}`;
    case 'object':
      return typeof schema.additionalProperties === 'object'
        ? `object of ${typeOf(schema.additionalProperties)}`
        : 'object';
    case 'string':
      return 'text';
    case 'integer':
      return 'whole number';
    case 'boolean':
      return 'true or false';
    default:
      return schema.type ?? 'any value';
  }
}

/** The schemas that a schema names itself, each once. */
export function namedIn(schema: Schema | undefined): readonly string[] {
  if (schema === undefined) return [];
  if (schema.$ref !== undefined) return [nameOf(schema.$ref)];
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.prefixItems ?? [])];
  if (schema.items !== undefined) inner.push(schema.items);
  if (typeof schema.additionalProperties === 'object') inner.push(schema.additionalProperties);
  return [...new Set(inner.flatMap(namedIn))];
}

/** A request for what was filled in: empty values are left out, those of the path are encoded. */
export function addressOf(operation: Operation, values: Readonly<Record<string, string>>): string {
  const path = operation.path.replace(/\{(\w+)(?::\w+)?\}/g, (_, name: string) =>
    encoded(values[name] ?? '', name, operation.path),
  );
  const query = new URLSearchParams();
  for (const { name, in: place, schema } of operation.parameters) {
    const value = (values[name] ?? '').trim();
    if (place !== 'query' || value === '') continue;
    // Of a list, each part goes on its own.
    const isList = typeOf(schema).startsWith('list of');
    for (const each of isList ? value.split(',') : [value]) query.append(name, each.trim());
  }
  const asked = query.toString();
  return asked === '' ? path : `${path}?${asked}`;
}

/** Ids of documents have slashes in them, and stand in the path as they are. */
function encoded(value: string, name: string, path: string): string {
  return path.includes(`{${name}:path}`) || name === 'document_id'
    ? value.split('/').map(encodeURIComponent).join('/')
    : encodeURIComponent(value);
}

/** What counts where a value is left out, as it is written; null where that is nothing. */
export function otherwiseOf(schema: Schema | undefined): string | null {
  const told = schema?.default;
  return told == null || told === '' || (Array.isArray(told) && told.length === 0) ? null : JSON.stringify(told);
}
