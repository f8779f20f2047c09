import { useQuery } from '@tanstack/react-query';

import { apiQuery } from '@/lib/api/client';
import { moment } from '@/lib/format';
import { Badge, type Tone } from '@/ui/badge';
import { Panel } from '@/ui/page';
import { Loaded, Skeleton } from '@/ui/states';

import { coded } from './coded';
import styles from './settings.module.css';
import type { ChecklistAnswer } from './types';

const TONES: Readonly<Record<string, Tone>> = { pass: 'good', fail: 'fault', unknown: 'warn' };

/** Whether the present release may go live: every question of the deployment checklist with what the record says. */
export function Checklist() {
  const checklist = useQuery(apiQuery('/api/checklist'));
  const told = checklist.data;
  return (
    <Panel
      title="May this release go live?"
      actions={
        told !== undefined && <Badge tone={told.ready ? 'good' : 'warn'}>{told.ready ? 'ready' : 'not yet'}</Badge>
      }
    >
      <Loaded query={checklist} failed="The checklist can't be shown" skeleton={<Skeleton height="24rem" />}>
        {({ answers, at, release }) => (
          <>
            <p className={styles.soft}>
              The record's answers for <code>{release}</code>, {moment(at)}.
            </p>
            <ul className={styles.answers}>
              {answers.map((answer) => (
                <Answer key={answer.name} answer={answer} />
              ))}
            </ul>
          </>
        )}
      </Loaded>
    </Panel>
  );
}

function Answer({ answer }: { readonly answer: ChecklistAnswer }) {
  return (
    <li className={styles.answer}>
      <span>
        <Badge tone={TONES[answer.state] ?? 'neutral'}>{answer.state}</Badge>
      </span>
      <div>
        <strong>{answer.question}</strong>
        <p>{coded(answer.evidence)}</p>
        {answer.remedy !== '' && <p className={styles.fine}>To do: {coded(answer.remedy)}</p>}
        <p className={styles.fine}>From: {coded(answer.where)}</p>
      </div>
    </li>
  );
}
