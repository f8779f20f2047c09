import { ArrowRight, CornerDownRight, Quote, TriangleAlert } from 'lucide-react';

import { count } from '@/lib/format';
import { classNames } from '@/ui/class-names';

import { StateIcon } from './breaker-sign';
import { STATES } from './breaker-words';
import { answering } from './outage';
import styles from './tier-picture.module.css';
import type { GatewayModel, GatewayModels, GatewayTier } from './types';

const PURPOSES: Readonly<Record<string, string>> = {
  'tier-1': 'light: what is not difficult',
  'tier-2': 'the strongest: what is difficult, and what a lighter answer fell short of',
  code: 'questions that want code',
  creative: 'questions that want a text in words of its own',
  local: 'runs in the house: where the budget is short',
};

/** Who is asked in which order: a chain for each tier, with what stands behind its last model. */
export function TierPicture({ told }: { readonly told: GatewayModels }) {
  const tiers = told.tiers.length > 0 ? told.tiers : [alone(told)];
  return (
    <ul className={styles.tiers}>
      {tiers.map((tier) => (
        <Chain key={tier.name} tier={tier} told={told} />
      ))}
    </ul>
  );
}

function Chain({ tier, told }: { readonly tier: GatewayTier; readonly told: GatewayModels }) {
  const now = answering(tier, told);
  const isTier = told.tiers.length > 0;
  return (
    <li className={styles.tier}>
      <div className={styles.head}>
        <h3>{isTier ? tier.name : 'Every question'}</h3>
        {isTier && <p>{PURPOSES[tier.name]}</p>}
        {tier.tasks.length > 0 && <p>always: {tier.tasks.join(', ')}</p>}
        <p>prompts up to {count(tier.room)} tokens</p>
      </div>
      <ol
        className={styles.chain}
        aria-label={`Who answers for ${isTier ? tier.name : 'every question'}, in this order`}
      >
        {tier.models.map((name, place) => (
          <li key={name} className={styles.link}>
            {place > 0 && <Arrow label="if it fails" />}
            <Node
              model={told.models.find((model) => model.name === name)}
              name={name}
              answers={now?.tier === tier.name && now.model === name}
            />
          </li>
        ))}
        {tier.stand_ins.length > 0 && (
          <li className={styles.link}>
            <Arrow label="if all are open" />
            <div className={classNames(styles.node, styles.end)}>
              <CornerDownRight aria-hidden="true" />
              <span>{tier.stand_ins.join(', then ')}</span>
            </div>
          </li>
        )}
        {!tier.models.includes('extractive') && (
          <li className={styles.link}>
            <Arrow label="else" />
            <div className={classNames(styles.node, styles.end)}>
              {told.when_models_fail === 'answer' ? <Quote aria-hidden="true" /> : <TriangleAlert aria-hidden="true" />}
              <span>{told.when_models_fail === 'answer' ? 'passages are quoted' : 'an error'}</span>
            </div>
          </li>
        )}
      </ol>
    </li>
  );
}

function Arrow({ label }: { readonly label: string }) {
  return (
    <span className={styles.arrow}>
      <span>{label}</span>
      <ArrowRight aria-hidden="true" />
    </span>
  );
}

interface NodeProps {
  readonly model: GatewayModel | undefined;
  readonly name: string;
  /** It answers what comes in now. */
  readonly answers: boolean;
}

function Node({ model, name, answers }: NodeProps) {
  const state = model?.breaker?.state ?? 'closed';
  return (
    <a href={`#model-${name}`} className={classNames(styles.node, answers && styles.answers)} data-state={state}>
      <StateIcon state={state} />
      <span className={styles.name}>{name}</span>
      <span className={styles.state}>{model?.breaker == null ? 'always there' : STATES[state].word.toLowerCase()}</span>
      {answers && <span className={styles.now}>answers now</span>}
    </a>
  );
}

/** Where there are no tiers, the default model is asked for everything. */
function alone(told: GatewayModels): GatewayTier {
  const model = told.models.find(({ name }) => name === told.default_model);
  const room = Math.max(0, (model?.window ?? 0) - (model?.max_tokens ?? 0));
  return { name: 'default', models: [told.default_model], room, stand_ins: [], tasks: [] };
}
