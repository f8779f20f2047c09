const HEADING = /^(#{1,6}) +(.+)$/;

/** A section of a Markdown page by the name of its heading, without the heading, up to the next one as high; all of the page without such a
 *  heading. */
export function sectionOf(page: string, name: string): string {
  const lines = page.split('\n');
  const headings = lines.map((line) => HEADING.exec(line));
  const begin = headings.findIndex((heading) => heading !== null && slugOf(heading[2] ?? '') === name);
  if (begin < 0) return page;
  const level = headings[begin]?.[1]?.length ?? 1;
  const after = headings.findIndex(
    (heading, line) => line > begin && heading !== null && (heading[1]?.length ?? 0) <= level,
  );
  return lines
    .slice(begin + 1, after < 0 ? undefined : after)
    .join('\n')
    .trim();
}

function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
}
