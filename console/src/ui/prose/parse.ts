import type { RootContent } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';

const SYNTAX = gfm({ singleTilde: false });
// Their transforms make nodes that have no place in the source, and the syntax has found the links already.
const TREE = gfmFromMarkdown().map((extension) => ({ ...extension, transforms: [] }));

/** The blocks of a piece of Markdown. Their offsets count from the beginning of `prefix + text`; the prefix's own are left out. */
export function blocksOf(prefix: string, text: string): readonly RootContent[] {
  const tree = fromMarkdown(prefix + text, { extensions: [SYNTAX], mdastExtensions: TREE });
  if (!prefix) return tree.children;
  return tree.children.filter((block) => (block.position?.end.offset ?? 0) > prefix.length);
}
