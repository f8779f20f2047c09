import { useQuery } from '@tanstack/react-query';
import { useId, useMemo, useState } from 'react';

import { Checkbox, Select, TextField } from '@/ui/field';
import { Panel } from '@/ui/page';

import { BacktestPanel } from './backtest-panel';
import { checkQuery } from './queries';
import { RuleActions } from './rule-actions';
import styles from './rule-editor.module.css';
import { RuleFieldInput } from './rule-field';
import {
  changesOf,
  COMPARES,
  fieldsOf,
  LOOKS,
  OWN,
  tableOf,
  TELLS,
  textsOf,
  type RuleField,
  type RuleTexts,
} from './rule-form';
import { SaidOf } from './rule-said';
import type { Checked, RuleForm } from './shapes';
import { useSettled } from './use-settled';

const CHECK_MS = 250;
const TRY_MS = 500;
const NEW: RuleTexts = { compare: 'threshold', name: '', when: '' };

/** Writes a rule: each field is checked by the server's own parser, and the back-test follows. */
export function RuleEditorForm({ form }: { readonly form: RuleForm | null }) {
  const [texts, setTexts] = useState<RuleTexts>(() => (form === null ? NEW : textsOf(form.table)));
  const put = (name: string) => (value: string) => setTexts((known) => ({ ...known, [name]: value }));
  const compare = texts.compare ?? 'threshold';
  const before = form?.before ?? null;
  const table = useMemo(() => changesOf(tableOf(texts), before), [texts, before]);
  const settled = useSettled(table, CHECK_MS);
  const check = useQuery(checkQuery(settled));
  const isUntouched = form === null && (texts.name ?? '') === '' && tableOf(texts).when === undefined;
  const faults = isUntouched ? [] : (check.data?.faults ?? []);
  const isChecked = settled === table && check.data !== undefined && !check.isPlaceholderData;
  const isGood = isChecked && check.data.faults.length === 0;
  // A rule without a name yet can be tried under another one.
  const [lastGood, setLastGood] = useState<typeof table | null>(form === null ? null : table);
  if (isGood && lastGood !== settled) setLastGood(settled);
  const tried = useSettled(lastGood, TRY_MS - CHECK_MS);
  const fields = (title: string, all: readonly RuleField[]) => (
    <Fields title={title} fields={all} {...{ texts, faults, put }} />
  );
  return (
    <div className={styles.columns}>
      <form className={styles.form} onSubmit={(event) => event.preventDefault()} aria-label="Rule">
        <Panel title={form === null ? 'New rule' : form.rule.name}>
          {form !== null && <SaidOf rule={form.rule} />}
          <div className={styles.fields}>
            {form === null && (
              <TextField
                label="Name"
                value={texts.name ?? ''}
                placeholder="retry_rate"
                hint="Small letters, digits and underscores."
                error={faultOf(faults, 'name')?.what ?? null}
                spellCheck={false}
                autoCapitalize="none"
                onChange={(event) => put('name')(event.target.value)}
              />
            )}
            <Select label="Looks at" value={compare} onChange={(event) => put('compare')(event.target.value)}>
              {COMPARES.map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </Select>
            <Checkbox
              label="On"
              checked={texts.enabled !== 'no'}
              onChange={(event) => put('enabled')(event.target.checked ? '' : 'no')}
            />
          </div>
        </Panel>
        {fields('What is trouble', OWN[compare] ?? [])}
        {fields('Where and when', LOOKS)}
        {fields('Who is told what', TELLS)}
      </form>
      <div className={styles.beside}>
        <Panel title="In words">
          <Verdict faults={faults} compare={compare} checked={check.data} isUntouched={isUntouched} />
          {check.error !== null && <p role="alert">{check.error.message}</p>}
          <RuleActions form={form} table={table} isGood={isGood} />
        </Panel>
        <BacktestPanel table={tried} compare={compare} />
      </div>
    </div>
  );
}

interface FieldsProps {
  readonly title: string;
  readonly fields: readonly RuleField[];
  readonly texts: RuleTexts;
  readonly faults: Checked['faults'];
  readonly put: (name: string) => (value: string) => void;
}

function Fields({ title, fields, texts, faults, put }: FieldsProps) {
  const id = useId();
  return (
    <Panel title={<span id={id}>{title}</span>}>
      <div role="group" aria-labelledby={id} className={styles.fields}>
        {fields.map((field) => (
          <RuleFieldInput
            key={field.name}
            field={field}
            value={texts[field.name] ?? ''}
            fault={faultOf(faults, field.name)}
            onChange={put(field.name)}
          />
        ))}
      </div>
    </Panel>
  );
}

interface VerdictProps {
  readonly faults: Checked['faults'];
  readonly compare: string;
  readonly checked: Checked | undefined;
  readonly isUntouched: boolean;
}

/** What the rule looks for, or what is wrong with it as a whole. */
function Verdict({ faults, compare, checked, isUntouched }: VerdictProps) {
  if (isUntouched) return <p className={styles.soft}>Write a condition, such as “retry_rate &gt; 0.05”.</p>;
  const known = new Set(['name', ...fieldsOf(compare).map(({ name }) => name)]);
  const whole = faults.filter(({ field }) => !known.has(field.split('.')[0] ?? ''));
  if (faults.length === 0) return <p className={styles.words}>{checked?.looks_for ?? 'Looking at it'}</p>;
  return (
    <div role="status" className={styles.faults}>
      {whole.length === 0 ? (
        <p>
          It can’t be used yet: see {faults.length === 1 ? 'the field that is marked' : 'the fields that are marked'}.
        </p>
      ) : (
        whole.map(({ field, what }) => (
          <p key={`${field} ${what}`}>
            {field === '' ? '' : `${field}: `}
            {what}
          </p>
        ))
      )}
    </div>
  );
}

/** The first fault of a field, or of a part of it: `paces.0.long`. */
function faultOf(faults: Checked['faults'], name: string): Checked['faults'][number] | undefined {
  return faults.find(({ field }) => field === name || field.startsWith(`${name}.`));
}
