import type { HeadingAt } from './segments';

/** The names by which links within a text call its headings, as the well-known sites for code make them. */
export function slugsOf(headings: readonly HeadingAt[]): readonly (HeadingAt & { readonly slug: string })[] {
  const taken = new Map<string, number>();
  return headings.map((heading) => {
    const plain = heading.text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-');
    const count = taken.get(plain) ?? 0;
    taken.set(plain, count + 1);
    return { ...heading, slug: count ? `${plain}-${count}` : plain };
  });
}
