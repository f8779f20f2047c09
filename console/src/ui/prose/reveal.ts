import { useEffect, useLayoutEffect, useRef, type RefObject } from 'react';

/** A place in the source to scroll to, in UTF-16 units. */
export interface Goal {
  readonly unit: number;
  readonly id?: string | undefined;
  readonly focus?: boolean | undefined;
}

/** Scrolls to a goal as soon as its segment is drawn; once for each goal. */
export function useReveal(
  container: RefObject<HTMLElement | null>,
  goal: Goal | null,
  segment: { readonly index: number; readonly isMounted: boolean; readonly require: (index: number) => void },
): void {
  const done = useRef<Goal | null>(null);
  const { index, isMounted, require } = segment;
  useEffect(() => {
    if (goal && !isMounted) require(index);
  }, [goal, isMounted, index, require]);
  useLayoutEffect(() => {
    if (!goal || !isMounted || done.current === goal || !container.current) return;
    const target = elementFor(container.current, goal);
    if (!target) return;
    done.current = goal;
    centre(target);
    if (goal.focus) target.focus({ preventScroll: true });
  });
}

function elementFor(container: HTMLElement, goal: Goal): HTMLElement | null {
  if (goal.id !== undefined) {
    const { id } = goal;
    const named = [...container.querySelectorAll<HTMLElement>('[data-mark], [data-outline]')].find(
      ({ dataset }) => dataset.mark === id || dataset.outline?.split(' ').includes(id),
    );
    if (named) return named;
  }
  const placed = [...container.querySelectorAll<HTMLElement>('[data-start]')];
  return placed.findLast((element) => Number(element.dataset.start) <= goal.unit) ?? placed[0] ?? null;
}

/** Scrolls the frame that holds an element, and nothing around that frame: what stands beside it stays where it is. */
function centre(target: HTMLElement): void {
  let frame = target.parentElement;
  while (frame && !(frame.scrollHeight > frame.clientHeight && /auto|scroll/.test(getComputedStyle(frame).overflowY)))
    frame = frame.parentElement;
  if (!frame || frame === document.documentElement) target.scrollIntoView({ block: 'center' });
  else {
    const [inner, outer] = [target.getBoundingClientRect(), frame.getBoundingClientRect()];
    frame.scrollTop += inner.top - outer.top - Math.max(0, frame.clientHeight - inner.height) / 2;
  }
}
