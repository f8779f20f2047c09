import { Link } from '@tanstack/react-router';
import { ArrowUpRight, BatteryLow, History, Info, Scale, Shuffle } from 'lucide-react';
import type { ReactNode } from 'react';

import type { Answer } from '@/lib/api/types';

import styles from './answer.module.css';
import type { Notice } from './exchange';

const ICONS: Readonly<Record<string, ReactNode>> = {
  cached: <History />,
  fallback: <Shuffle />,
  escalated: <ArrowUpRight />,
  conflict: <Scale />,
  degraded: <BatteryLow />,
};

/** What is to be known of an answer, one line each. */
export function Notices({ notices, answer }: { readonly notices: readonly Notice[]; readonly answer: Answer | null }) {
  if (notices.length === 0) return null;
  const original = answer?.original_trace_id ?? null;
  return (
    <ul className={styles.notices} aria-label="Notices">
      {notices.map((notice, index) => (
        <li key={index} data-kind={notice.kind}>
          <span aria-hidden="true">{ICONS[notice.kind] ?? <Info />}</span>
          <span>
            {notice.text}
            {notice.kind === 'cached' && original !== null && original !== '' && (
              <>
                {' '}
                <Link to="/traces/$traceId" params={{ traceId: original }}>
                  The trace of its first time
                </Link>
              </>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}
