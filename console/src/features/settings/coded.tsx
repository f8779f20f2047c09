import type { ReactNode } from 'react';

/** A sentence of Ken's with what stands between backticks as code. */
export function coded(text: string): ReactNode {
  return text.split('`').map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part));
}
