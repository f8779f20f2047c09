import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Quote } from 'lucide-react';

import { apiQuery } from '@/lib/api/client';
import { CopyButton } from '@/ui/copy-button';
import { Panel } from '@/ui/page';
import { Empty } from '@/ui/states';

import styles from './no-models.module.css';

const LINES = `default_model = "gpt"

[[models]]
name = "gpt"                              # what people call it
base_url = "https://api.openai.com/v1"    # any endpoint that speaks OpenAI's chat completions
model = "gpt-4o-mini"                     # what the endpoint calls it
api_key_env = "OPENAI_API_KEY"            # the variable that holds its key
`;

/** A Ken with the reader alone: what that means, and the lines that add a model. */
export function NoModels() {
  const me = useQuery(apiQuery('/api/me')).data;
  return (
    <Panel>
      <Empty title="No model is configured, and none is needed" icon={<Quote />}>
        <p>
          Ken answers with its extractive reader: it quotes sentences of your documents and cites them, inside this
          process, without a call to anybody and without cost. So there is no breaker that could open and nothing to
          budget. A chat model writes answers in words of its own, which Ken checks against the passages.
        </p>
        {me?.simulated === true && (
          <p>
            The models on record are made up, as are the questions, and this page shows what was called in earnest. What
            those would have cost, by model and tier, stands in the{' '}
            <Link to="/views" search={{ view: 'cost' }}>
              view of costs
            </Link>
            .
          </p>
        )}
      </Empty>
      <div className={styles.lines}>
        <div className={styles.head}>
          <p>
            To add one, write these lines into <code>ken.toml</code> in Ken’s home, set the variable, and start Ken
            again:
          </p>
          <CopyButton text={LINES} label="Copy lines" />
        </div>
        {/* Long lines scroll, so the keyboard has to get there. */}
        {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
        <pre tabIndex={0}>{LINES}</pre>
        <p>
          More, also for models that run on your own machine: <code>docs/guides/first-model.md</code>. To try the
          gateway without spending anything: <code>docs/guides/mock-provider.md</code>.
        </p>
      </div>
    </Panel>
  );
}
