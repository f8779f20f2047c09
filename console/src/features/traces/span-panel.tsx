import { Link } from '@tanstack/react-router';

import { count, duration, moment, money } from '@/lib/format';
import { Badge } from '@/ui/badge';
import { CopyButton } from '@/ui/copy-button';
import { Facts } from '@/ui/page';

import type { TraceTab } from './search';
import { numberOf, textOf, type Scalar, type Span, type Trace } from './shapes';
import { attributesOf, storyOf, type Fact } from './story';
import styles from './trace-page.module.css';
import { marksOf } from './tree';

export interface SpanPanelProps {
  readonly span: Span;
  readonly trace: Trace;
  readonly currency: string;
  readonly onSelect: (spanId: string) => void;
  readonly onTab: (tab: TraceTab) => void;
}

/** The span that is looked at: what went in, what came out, what it used, and all that was noted of it. */
export function SpanPanel({ span, trace, currency, onSelect, onTab }: SpanPanelProps) {
  const story = storyOf(span, trace);
  const began = trace.spans.reduce((least, each) => Math.min(least, each.started_at), span.started_at);
  const input = numberOf(span, 'input_tokens');
  const output = numberOf(span, 'output_tokens');
  const firstMs = numberOf(span, 'ttft_ms');
  return (
    <aside aria-label={`Span ${span.name}`} className={styles.aside}>
      <header className={styles.asideHead}>
        <h2>{span.name}</h2>
        {span.service !== '' && <Badge>{span.service}</Badge>}
        {marksOf(span).map((mark) => (
          <Badge key={mark.words} tone={mark.tone}>
            {mark.words}
          </Badge>
        ))}
        <CopyButton text={() => linkTo(span.id)} label="Copy link" />
      </header>
      {story.about !== '' && <p className={styles.about}>{story.about}</p>}
      <Facts
        facts={[
          ['Took', duration(span.ms)],
          ['Began after', duration((span.started_at - began) * 1000)],
          ['At', moment(span.started_at, { seconds: true })],
          ['Tokens in / out', input === null && output === null ? null : `${count(input)} / ${count(output)}`],
          ['Cost', 'cost_micros' in span.attributes ? money(numberOf(span, 'cost_micros'), currency) : null],
          ['First piece after', firstMs === null ? null : duration(firstMs)],
          ['Failure', textOf(span, 'failure') || null],
        ]}
      />
      <Part title="What went in" facts={story.inputs} onTab={onTab} />
      <Part title="What came out" facts={story.outputs} onTab={onTab} />
      <Links span={span} trace={trace} onSelect={onSelect} />
      <Attributes all={attributesOf(span)} />
    </aside>
  );
}

function Part({
  title,
  facts,
  onTab,
}: {
  readonly title: string;
  readonly facts: readonly Fact[];
  readonly onTab: (tab: TraceTab) => void;
}) {
  if (facts.length === 0) return null;
  return (
    <section className={styles.part}>
      <h3>{title}</h3>
      {facts.map((fact) => (
        <div key={fact.label} className={styles.fact}>
          <span>{fact.label}</span> {fact.isLong === true ? <Long fact={fact} /> : <span>{fact.text}</span>}
          {fact.tab !== undefined && (
            <button type="button" className={styles.more} onClick={() => fact.tab !== undefined && onTab(fact.tab)}>
              See all of it
            </button>
          )}
        </div>
      ))}
    </section>
  );
}

function Long({ fact }: { readonly fact: Fact }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must take the focus (WCAG 2.1.1)
    <pre className={styles.text} tabIndex={0} role="region" aria-label={fact.label}>
      {fact.text}
    </pre>
  );
}

function Links({ span, trace, onSelect }: Pick<SpanPanelProps, 'span' | 'trace' | 'onSelect'>) {
  if (span.links.length === 0) return null;
  return (
    <section className={styles.part}>
      <h3>Links</h3>
      {span.links.map((link) => {
        const other = link.trace_id === trace.id ? trace.spans.find((each) => each.id === link.span_id) : undefined;
        return (
          <p key={link.span_id} className={styles.fact}>
            {link.reason === '' ? '' : `${link.reason}: `}
            {other !== undefined ? (
              <button type="button" className={styles.more} onClick={() => onSelect(other.id)}>
                {other.name}
              </button>
            ) : (
              <Link to="/traces/$traceId" params={{ traceId: link.trace_id }} search={{ span: link.span_id }}>
                another trace
              </Link>
            )}
          </p>
        );
      })}
    </section>
  );
}

function Attributes({ all }: { readonly all: readonly (readonly [string, Scalar])[] }) {
  if (all.length === 0) return null;
  return (
    <section className={styles.part}>
      <h3>Attributes</h3>
      <table className={styles.attributes}>
        <tbody>
          {all.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{said(value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function said(value: Scalar): string {
  if (value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'number' ? value.toLocaleString('en-GB', { maximumFractionDigits: 4 }) : value || '–';
}

function linkTo(spanId: string): string {
  const address = new URL(window.location.href);
  address.searchParams.set('span', spanId);
  return address.href;
}
