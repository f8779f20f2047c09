import { CircleCheck } from 'lucide-react';

import { plural } from '@/lib/format';
import { classNames } from '@/ui/class-names';

import { StateIcon } from './breaker-sign';
import { probeInWords } from './breaker-words';
import { outages } from './outage';
import styles from './outage-banner.module.css';
import { useServerNow } from './queries';
import type { GatewayModels } from './types';

/** What is wrong and what users get now, a sentence for each; one calm line where nothing is. */
export function OutageBanner({ told }: { readonly told: GatewayModels }) {
  const now = useServerNow();
  const found = outages(told);
  const parts = told.models.filter(({ breaker }) => breaker !== null);
  return (
    <div role="status" aria-label="State of the models" className={styles.banner}>
      {found.length === 0 ? (
        <p className={classNames(styles.line, styles.calm)}>
          <CircleCheck aria-hidden="true" />
          <span>
            <strong>Every breaker is closed.</strong>{' '}
            {parts.length === 1 ? 'The one endpoint takes' : `All ${plural(parts.length, 'endpoint')} take`} calls.
          </span>
        </p>
      ) : (
        found.map(({ model, state, effect, isFelt }) => (
          <p
            key={model.name}
            className={classNames(styles.line, state === 'open' && isFelt ? styles.fault : styles.warn)}
          >
            <StateIcon state={state} />
            <span>
              <strong>
                {model.name} is {state === 'open' ? 'left alone' : 'being tried again'}.
              </strong>{' '}
              {effect}
              {/* Counted down for the eye: read out every second it would drown what matters. */}
              <span className={styles.probe} aria-hidden="true">
                {probeInWords(model, now)}
              </span>
            </span>
          </p>
        ))
      )}
    </div>
  );
}
