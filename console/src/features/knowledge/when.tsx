import { ago, moment, UNKNOWN } from '@/lib/format';
import { Moment } from '@/ui/moment';

/** How long ago, with the whole date on hover; a dash where it never was. */
export function When({ at }: { readonly at: number | null | undefined }) {
  if (at == null) return UNKNOWN;
  return <Moment at={at} told={ago} title={(each) => moment(each, { seconds: true })} />;
}
