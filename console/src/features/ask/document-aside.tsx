import { Suspense, useEffect, useRef } from 'react';

import { Skeleton } from '@/ui/states';

import type { Place } from './answer-view';
import styles from './ask-page.module.css';
import type { DocumentSlot } from './document-slot';

export interface DocumentAsideProps {
  readonly place: Place;
  readonly DocumentPanel: DocumentSlot;
  readonly onClose: () => void;
}

/** The document beside the conversation; Escape closes it, and the keyboard goes back to what opened it. */
export function DocumentAside({ place, DocumentPanel, onClose }: DocumentAsideProps) {
  const aside = useRef<HTMLElement>(null);
  const opener = useRef<Element | null>(null);
  useEffect(() => {
    const active = document.activeElement;
    if (active !== null && !aside.current?.contains(active)) opener.current = active;
    aside.current?.focus({ preventScroll: true });
  }, [place]);
  useEffect(() => {
    const leave = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented && document.querySelector('dialog[open]') === null)
        onClose();
    };
    addEventListener('keydown', leave);
    return () => removeEventListener('keydown', leave);
  }, [onClose]);
  useEffect(
    () => () => {
      if (opener.current instanceof HTMLElement) opener.current.focus({ preventScroll: true });
    },
    [],
  );
  return (
    <aside ref={aside} className={styles.aside} tabIndex={-1} aria-label="Document">
      <Suspense fallback={<Skeleton height="60vh" />}>
        <DocumentPanel
          documentId={place.documentId}
          start={place.start}
          end={place.end}
          page={place.page}
          version={place.version}
          onClose={onClose}
        />
      </Suspense>
    </aside>
  );
}
