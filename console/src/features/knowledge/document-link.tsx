import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

export interface DocumentLinkProps {
  /** `collection/path`. */
  readonly id: string;
  readonly children?: ReactNode;
}

/** Leads to a document; without children it is called by its id. */
export function DocumentLink({ id, children }: DocumentLinkProps) {
  return (
    <Link to="/documents/$" params={{ _splat: id }}>
      {children ?? id}
    </Link>
  );
}
