import { BellOff, BellRing, CircleCheck, Hourglass, Info, TriangleAlert } from 'lucide-react';

import { Badge } from '@/ui/badge';

import type { Alert } from './shapes';

/** How soon somebody is told: at once, or in the daily digest. */
export function SeverityBadge({ severity }: { readonly severity: Alert['severity'] }) {
  return severity === 'hard' ? (
    <Badge tone="fault" icon={<TriangleAlert />} title="Sent at once">
      Hard
    </Badge>
  ) : (
    <Badge tone="warn" icon={<Info />} title="Told in the daily digest">
      Soft
    </Badge>
  );
}

/** What an alert goes through. */
export function StateBadge({ state }: { readonly state: Alert['state'] }) {
  switch (state) {
    case 'firing':
      return (
        <Badge tone="fault" icon={<BellRing />}>
          Firing
        </Badge>
      );
    case 'silenced':
      return (
        <Badge icon={<BellOff />} title="It stays on record, and nobody is told">
          Silenced
        </Badge>
      );
    case 'pending':
      return (
        <Badge tone="warn" icon={<Hourglass />} title="Its condition holds, not yet for as long as the rule asks">
          Waiting
        </Badge>
      );
    default:
      return (
        <Badge tone="good" icon={<CircleCheck />}>
          Over
        </Badge>
      );
  }
}
