import { Checkbox, Select, TextArea, TextField } from '@/ui/field';

import { ExpressionField } from './expression-field';
import { YES, type RuleField } from './rule-form';
import type { Checked } from './shapes';

export interface RuleFieldProps {
  readonly field: RuleField;
  readonly value: string;
  readonly fault: Checked['faults'][number] | undefined;
  readonly onChange: (value: string) => void;
}

/** One field of a rule, of its kind. */
export function RuleFieldInput({ field, value, fault, onChange }: RuleFieldProps) {
  const { label, kind, hint, choices = [], otherwise } = field;
  const common = { label, ...(hint === undefined ? {} : { hint }), error: fault?.what ?? null };
  switch (kind) {
    case 'expression':
      return <ExpressionField {...{ label, hint, value, fault, onChange }} />;
    case 'choice':
      return (
        <Select
          {...common}
          value={value === '' ? (otherwise ?? '') : value}
          onChange={(event) => onChange(event.target.value)}
        >
          {otherwise === undefined && !choices.some(([each]) => each === '') && <option value="">Choose</option>}
          {choices.map(([each, words]) => (
            <option key={each} value={each}>
              {words}
            </option>
          ))}
        </Select>
      );
    case 'flag':
      return (
        <Checkbox
          label={label}
          checked={value === YES}
          onChange={(event) => onChange(event.target.checked ? YES : '')}
        />
      );
    case 'long':
      return <TextArea {...common} rows={2} value={value} onChange={(event) => onChange(event.target.value)} />;
    default:
      return (
        <TextField
          {...common}
          value={value}
          placeholder={otherwise ?? ''}
          spellCheck={false}
          inputMode={kind === 'number' ? 'decimal' : 'text'}
          onChange={(event) => onChange(event.target.value)}
        />
      );
  }
}
