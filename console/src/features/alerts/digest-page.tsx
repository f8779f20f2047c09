import { createElement, useMemo, type ReactNode } from 'react';

import styles from './digest-page.module.css';

/** The elements that a digest is made of; its own style, and whatever else stands in it, is left out. */
const ELEMENTS: ReadonlySet<string> = new Set([
  'h1',
  'h2',
  'p',
  'ol',
  'ul',
  'li',
  'table',
  'tr',
  'td',
  'th',
  'svg',
  'path',
]);
/** Of its attributes, the ones that say something, each with what React calls it; a class only where it is one of the digest's own. */
const CLASSES: Readonly<Record<string, string | undefined>> = {
  n: styles.number,
  far: styles.far,
  soft: styles.soft,
  time: styles.time,
  fired: styles.fired,
  did: styles.did,
  day: styles.day,
  week: styles.week,
};
const DRAWN = ['d', 'viewBox', 'width', 'height'] as const;

/** The digest's page, built again out of the elements that belong to it: nothing of it is run, loaded, or styled by itself. */
export function DigestPage({ html }: { readonly html: string }) {
  const built = useMemo(() => {
    // Without its head: to read a style is to breach the content security policy, even where nothing is styled by it.
    const page = new DOMParser().parseFromString(html.slice(Math.max(0, html.indexOf('<body'))), 'text/html');
    return [...page.body.childNodes].map((node, index) => rebuilt(node, index));
  }, [html]);
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must take the focus
    <div className={styles.page} role="region" aria-label="The digest" tabIndex={0}>
      {built}
    </div>
  );
}

function rebuilt(node: Node, key: number): ReactNode {
  if (node.nodeType === Node.TEXT_NODE) return node.textContent?.trim() === '' ? null : node.textContent;
  if (!(node instanceof Element)) return null;
  const children = [...node.childNodes].map((child, index) => rebuilt(child, index));
  const name = node.localName;
  if (name === 'tbody') return createElement('tbody', { key }, children);
  if (!ELEMENTS.has(name)) return null;
  // Its headings stand below the page's own.
  const shown = name === 'h1' ? 'h3' : name === 'h2' ? 'h4' : name;
  return createElement(shown, { key, ...attributesOf(node) }, ...(children.length === 0 ? [] : [children]));
}

function attributesOf(element: Element): Record<string, string> {
  const classes = [...element.classList].flatMap((name) => CLASSES[name] ?? []);
  const found: Record<string, string> = classes.length === 0 ? {} : { className: classes.join(' ') };
  if (element.namespaceURI === 'http://www.w3.org/2000/svg') {
    if (element.localName === 'svg') found['aria-hidden'] = 'true'; // the row says the same in figures
    for (const name of DRAWN) {
      const value = element.getAttribute(name);
      if (value !== null) found[name] = value;
    }
  }
  return found;
}
