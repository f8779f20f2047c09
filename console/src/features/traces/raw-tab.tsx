import { Download } from 'lucide-react';

import { Button } from '@/ui/button';
import { JsonView } from '@/ui/json-view';

import type { Trace } from './shapes';

/** The trace as the API gives it: to copy, or to take along. */
export function RawTab({ trace }: { readonly trace: Trace }) {
  return (
    <>
      <Button small icon={<Download />} onClick={() => download(trace)}>
        Download
      </Button>
      <JsonView label="The trace as JSON" value={trace} />
    </>
  );
}

function download(trace: Trace): void {
  const address = URL.createObjectURL(new Blob([JSON.stringify(trace, null, 2)], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = `trace-${trace.id}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
