import { useEffect, useState } from 'react';

/** The present moment in seconds since the epoch; it moves on every so often while `ticks`. */
export function useNow(everyMs: number, ticks = true): number {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    if (!ticks) return undefined;
    const timer = setInterval(() => setNow(Date.now() / 1000), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, ticks]);
  return now;
}
