import { Link } from '@tanstack/react-router';
import { BellOff } from 'lucide-react';
import { useEffect, useRef } from 'react';

import { ago, moment, plural } from '@/lib/format';
import { Button } from '@/ui/button';
import { classNames } from '@/ui/class-names';
import { Moment } from '@/ui/moment';

import { AlertChart } from './alert-chart';
import styles from './alert-card.module.css';
import { useCurrency } from './queries';
import { Runbook } from './runbook-view';
import type { Alert, AlertRule } from './shapes';
import { SeverityBadge, StateBadge } from './state';
import { comparedWith, labelsInWords, sinceInWords, valueInWords } from './words';

export interface AlertCardProps {
  readonly alert: Alert;
  readonly rule: AlertRule | undefined;
  /** A link in a message led here: it takes the focus. */
  readonly isSought: boolean;
  readonly onSilence: (alert: Alert) => void;
}

/** One alert, large: what is wrong, since when, how far, what is behind it and what to do. */
export function AlertCard({ alert, rule, isSought, onSilence }: AlertCardProps) {
  const element = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!isSought) return;
    element.current?.focus({ preventScroll: true });
    element.current?.scrollIntoView({ block: 'start' });
  }, [isSought]);
  const labels = labelsInWords(alert.labels);
  const id = `alert-${alert.fingerprint}`;
  return (
    <article
      ref={element}
      tabIndex={-1}
      aria-labelledby={id}
      className={classNames(styles.card, styles[alert.state], isSought && styles.sought)}
    >
      <header className={styles.head}>
        <h3 id={id}>
          {alert.rule}
          {labels !== '' && <span className={styles.labels}> {labels}</span>}
        </h3>
        <span className={styles.badges}>
          <StateBadge state={alert.state} />
          <SeverityBadge severity={alert.severity} />
        </span>
      </header>
      <p className={styles.summary}>{alert.summary}</p>
      <div className={styles.columns}>
        <div className={styles.facts}>
          <Value alert={alert} rule={rule} />
          <p className={styles.since}>
            {sinceInWords(alert)} (<Moment at={alert.since} told={ago} title={moment} />)
          </p>
          <Behind alert={alert} />
          <Runbook path={alert.runbook} />
          {alert.state !== 'resolved' && alert.state !== 'silenced' && (
            <div>
              <Button small icon={<BellOff />} onClick={() => onSilence(alert)}>
                Silence
              </Button>
            </div>
          )}
        </div>
        <div className={styles.chart}>
          <AlertChart alert={alert} rule={rule} />
        </div>
      </div>
    </article>
  );
}

function Value({ alert, rule }: Pick<AlertCardProps, 'alert' | 'rule'>) {
  const currency = useCurrency();
  if (alert.value === null) return null;
  return (
    <p className={styles.figures}>
      <span className={styles.value}>{valueInWords(alert.value, rule?.unit, currency)}</span>
      {alert.expected !== null && (
        <span className={styles.expected}>
          {comparedWith(rule?.compare)} {valueInWords(alert.expected, rule?.unit, currency)}
        </span>
      )}
      {alert.count > 1 && <span className={styles.expected}>{plural(alert.count, 'observation')}</span>}
    </p>
  );
}

function Behind({ alert }: { readonly alert: Alert }) {
  if (alert.where === '' && alert.traces.length === 0) return null;
  return (
    <p className={styles.behind}>
      {alert.where !== '' && (
        <Link to="/traces" search={{ where: alert.where }}>
          Traces behind it
        </Link>
      )}
      {alert.traces.map((trace, index) => (
        <Link key={trace} to="/traces/$traceId" params={{ traceId: trace }}>
          {index === 0 ? `Trace ${trace.slice(0, 8)}` : trace.slice(0, 8)}
        </Link>
      ))}
    </p>
  );
}
