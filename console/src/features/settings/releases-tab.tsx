import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Package } from 'lucide-react';

import { apiQuery } from '@/lib/api/client';
import { ago, moment, plural } from '@/lib/format';
import { Badge } from '@/ui/badge';
import { CopyButton } from '@/ui/copy-button';
import { Panel } from '@/ui/page';
import { Empty, Loaded, Skeleton } from '@/ui/states';

import { Checklist } from './checklist';
import { shown } from './setting-words';
import styles from './settings.module.css';
import type { Release } from './types';

/** What answers are and were made with, and whether the present release may go live. */
export function ReleasesTab() {
  const releases = useQuery(apiQuery('/api/releases'));
  return (
    <div className={styles.stack}>
      <Checklist />
      <Panel title="Releases">
        <p className={styles.soft}>
          A release is everything that people decide and that shapes an answer: prompts, routes, models, how documents
          are cut and searched, checks. It follows from the settings; whoever changes one of these has made another
          release.
        </p>
        <Loaded query={releases} failed="The releases can't be shown" skeleton={<Skeleton height="18rem" />}>
          {({ releases: all }) =>
            all.length === 0 ? (
              <Empty title="No release is on record" icon={<Package />}>
                The first question that is asked puts one there.
              </Empty>
            ) : (
              <ol className={styles.releases}>
                {all.map((release) => (
                  <li key={release.id}>
                    <OneRelease release={release} />
                  </li>
                ))}
              </ol>
            )
          }
        </Loaded>
      </Panel>
    </div>
  );
}

function OneRelease({ release }: { readonly release: Release }) {
  return (
    <Panel>
      <div className={styles.head}>
        <h3>{release.id}</h3>
        {release.is_present && <Badge tone="good">answers now</Badge>}
        <CopyButton text={release.id} label="Copy id" />
      </div>
      <p className={styles.words}>
        <span>{plural(release.questions, 'question')}</span>
        {release.first_seen !== null && (
          <span className={styles.soft} title={moment(release.first_seen)}>
            first served {ago(release.first_seen)}
          </span>
        )}
        {release.last_seen !== null && !release.is_present && (
          <span className={styles.soft} title={moment(release.last_seen)}>
            last served {ago(release.last_seen)}
          </span>
        )}
        {release.questions > 0 && (
          <Link to="/traces" search={{ where: `release = ${release.id}`, since: '30d' }}>
            Its traces
          </Link>
        )}
      </p>
      {release.changes.length > 0 && (
        <>
          <h4>What differs from the one before</h4>
          <ul className={styles.list}>
            {release.changes.map((change) => (
              <li key={change}>{change}</li>
            ))}
          </ul>
        </>
      )}
      {release.lacking.length > 0 && (
        <p className={styles.fine}>Questions can't be asked of it again: {release.lacking.join('; ')}.</p>
      )}
      {release.fields !== null && (
        <details className={styles.details}>
          <summary>What it is made of</summary>
          <dl>
            {Object.entries(release.fields).map(([name, value]) => (
              <div key={name}>
                <dt className={styles.fine}>{name}</dt>
                <dd className={styles.value}>{shown(value)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </Panel>
  );
}
