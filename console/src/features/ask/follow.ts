import { useEffect, useRef, useState, type RefObject } from 'react';

const NEAR = 96;

/**
 * Keep the end of what grows in view, as long as the reader is there. Returns whether the end is in view, and a way to it.
 * Only the reader's own scrolling takes the page from the end; growing doesn't.
 */
export function useFollow(content: RefObject<HTMLElement | null>): {
  readonly atEnd: boolean;
  readonly toEnd: () => void;
} {
  const [atEnd, setAtEnd] = useState(true);
  const follows = useRef(true);
  useEffect(() => {
    let last = scrollY;
    // A scroll event may come when the content has grown already and is not yet followed: only going up is leaving the end.
    const look = () => {
      const isNear = document.documentElement.scrollHeight - innerHeight - scrollY < NEAR;
      if (isNear) follows.current = true;
      else if (scrollY < last) follows.current = false;
      last = scrollY;
      setAtEnd(isNear || follows.current);
    };
    const grown = new ResizeObserver(() => {
      if (follows.current) end();
      else look();
    });
    if (content.current !== null) grown.observe(content.current);
    addEventListener('scroll', look, { passive: true });
    return () => {
      grown.disconnect();
      removeEventListener('scroll', look);
    };
  }, [content]);
  return {
    atEnd,
    toEnd: () => {
      follows.current = true;
      setAtEnd(true);
      end();
    },
  };
}

function end(): void {
  scrollTo({ top: document.documentElement.scrollHeight, behavior: 'instant' });
}
