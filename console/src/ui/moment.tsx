import { useEffect, useState } from 'react';

export interface MomentProps {
  /** Seconds since the epoch. */
  readonly at: number;
  /** How it is said, given the present moment in seconds. */
  readonly told: (at: number, now: number) => string;
  /** The whole date, on hover and for machines. */
  readonly title: (at: number) => string;
}

const TICK_MS = 15_000;

/** A moment that is said relative to now, and keeps up with it. */
export function Moment({ at, told, title }: MomentProps) {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={new Date(at * 1000).toISOString()} title={title(at)}>
      {told(at, now)}
    </time>
  );
}
