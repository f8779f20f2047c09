/** The last question of this tab while it has no answer that is kept: it outlives a reload, and a server that died over it. */

const NAME = 'ken-unanswered';

export interface Unanswered {
  readonly question: string;
  /** null before the server has told. */
  readonly conversationId: string | null;
  readonly traceId: string | null;
}

export function keepUnanswered(left: Unanswered): void {
  sessionStorage.setItem(NAME, JSON.stringify(left));
}

export function forgetUnanswered(): void {
  sessionStorage.removeItem(NAME);
}

/** The question that was left without an answer in a conversation; null: in one that hasn't begun. */
export function unansweredIn(conversationId: string | null): Unanswered | null {
  const kept = sessionStorage.getItem(NAME);
  if (kept === null) return null;
  const left = JSON.parse(kept) as Unanswered;
  return left.conversationId === conversationId ? left : null;
}
