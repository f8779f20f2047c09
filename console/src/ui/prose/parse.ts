import type { Definition, RootContent } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';

const SYNTAX = gfm({ singleTilde: false });
// Their transforms make nodes that have no place in the source, and the syntax has found the links already.
const TREE = gfmFromMarkdown().map((extension) => ({ ...extension, transforms: [] }));

/** A parsed piece of Markdown; offsets count from the beginning of its prefix. */
export interface Parsed {
  readonly blocks: readonly RootContent[];
  /** Of links, by identifier: the prefix's own too. */
  readonly definitions: ReadonlyMap<string, Definition>;
}

/** Parses a text that begins with `prefix`; the blocks that lie in the prefix are left out. */
export function parsed(prefix: string, whole: string): Parsed {
  // A byte order mark would be skipped without being counted.
  const source = whole.replace(/^\uFEFF/, ' ');
  const { children } = fromMarkdown(source, { extensions: [SYNTAX], mdastExtensions: TREE });
  const definitions = children.filter((block) => block.type === 'definition');
  return {
    blocks: children.filter((block) => (block.position?.end.offset ?? 0) > prefix.length),
    definitions: new Map(definitions.toReversed().map((each) => [each.identifier, each])),
  };
}
