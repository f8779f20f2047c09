import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { apiQuery } from '@/lib/api/client';
import { Badge } from '@/ui/badge';
import { Facts, Panel } from '@/ui/page';
import { Loaded } from '@/ui/states';

import styles from './settings.module.css';

/** What this Ken is, and who is asking. */
export function AboutTab() {
  const me = useQuery(apiQuery('/api/me'));
  return (
    <Panel title="About this Ken">
      <Loaded query={me} failed="It can't be said what this Ken is">
        {(told) => (
          <>
            <Facts
              facts={[
                ['Version', told.version],
                ['Release', <code key="release">{told.release}</code>],
                ['Answers come from', told.model],
                ['Models that may be asked for', told.models.join(', ')],
                ['Currency of the price list', told.currency],
                ['You are', told.name],
                ['Your groups', told.groups.join(', ')],
              ]}
            />
            {told.simulated && (
              <p>
                <Badge tone="warn">simulated</Badge> The record holds questions that <code>ken simulate</code> made up,
                so its figures are not those of people.{' '}
                <Link to="/traces" search={{ where: 'principal = simulated' }}>
                  Their traces
                </Link>{' '}
                are the principal <code>simulated</code>&rsquo;s. For questions of people, serve another home: their
                figures can&rsquo;t be told apart afterwards.
              </p>
            )}
            <p className={styles.words}>
              <Link to="/docs">The API's reference</Link>
              <a href="/openapi.json">Its description (OpenAPI)</a>
              <a href="/readyz">Is it ready?</a>
            </p>
          </>
        )}
      </Loaded>
    </Panel>
  );
}
