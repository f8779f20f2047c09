import type { HeadingAt } from '@/ui/prose/segments';

import styles from './document.module.css';

interface ContentsProps {
  readonly headings: readonly HeadingAt[];
  readonly isFolded: boolean;
  /** Goes to a place of the text, in UTF-16 units. */
  readonly onGo: (start: number) => void;
}

/** The headings of a document, each a way there. */
export function Contents({ headings, isFolded, onGo }: ContentsProps) {
  const top = Math.min(...headings.map((each) => each.level));
  return (
    <nav className={styles.contents} aria-label="Contents">
      <details open={!isFolded}>
        <summary>Contents</summary>
        <ul>
          {headings.map((each) => (
            <li key={each.start} style={{ paddingInlineStart: `${Math.min(4, each.level - top) * 0.8}rem` }}>
              <button type="button" onClick={() => onGo(each.start)}>
                {each.text}
              </button>
            </li>
          ))}
        </ul>
      </details>
    </nav>
  );
}
