import { useId, type ComponentPropsWithRef, type ReactNode } from 'react';

import { classNames } from './class-names';
import styles from './field.module.css';

interface FieldProps {
  readonly label: string;
  /** The label is for screen readers alone: what the field is, sighted people see from where it stands. */
  readonly labelHidden?: boolean;
  readonly hint?: ReactNode;
  /** What is wrong with the value, and what to do. */
  readonly error?: string | null | undefined;
}

/** As destructuring gives it: a property that is missing is there as undefined. */
type Loose = { readonly [Name in 'labelHidden' | 'hint' | 'error']: FieldProps[Name] | undefined };

interface Wired {
  readonly id: string;
  readonly 'aria-describedby'?: string;
  readonly 'aria-invalid'?: true;
}

function Field({
  label,
  labelHidden,
  hint,
  error,
  children,
}: FieldProps & { readonly children: (wired: Wired) => ReactNode }) {
  const id = useId();
  const described = [hint !== undefined && `${id}-hint`, error != null && `${id}-error`].filter(Boolean).join(' ');
  return (
    <div className={styles.field}>
      <label htmlFor={id} className={labelHidden === true ? 'unseen' : styles.label}>
        {label}
      </label>
      {children({
        id,
        ...(described === '' ? {} : { 'aria-describedby': described }),
        ...(error == null ? {} : { 'aria-invalid': true }),
      })}
      {hint !== undefined && (
        <p id={`${id}-hint`} className={styles.hint}>
          {hint}
        </p>
      )}
      {error != null && (
        <p id={`${id}-error`} className={styles.error}>
          {error}
        </p>
      )}
    </div>
  );
}

/** One line of text. */
export function TextField({
  label,
  labelHidden,
  hint,
  error,
  className,
  ...rest
}: FieldProps & ComponentPropsWithRef<'input'>) {
  return (
    <Field label={label} {...given({ labelHidden, hint, error })}>
      {(wired) => <input type="text" {...rest} {...wired} className={classNames(styles.control, className)} />}
    </Field>
  );
}

/** Several lines of text. */
export function TextArea({
  label,
  labelHidden,
  hint,
  error,
  className,
  ...rest
}: FieldProps & ComponentPropsWithRef<'textarea'>) {
  return (
    <Field label={label} {...given({ labelHidden, hint, error })}>
      {(wired) => <textarea {...rest} {...wired} className={classNames(styles.control, className)} />}
    </Field>
  );
}

/** One of a few; `children` are option elements. */
export function Select({
  label,
  labelHidden,
  hint,
  error,
  className,
  ...rest
}: FieldProps & ComponentPropsWithRef<'select'>) {
  return (
    <Field label={label} {...given({ labelHidden, hint, error })}>
      {(wired) => <select {...rest} {...wired} className={classNames(styles.control, className)} />}
    </Field>
  );
}

/** Yes or no; the label stands behind the box. */
export function Checkbox({
  label,
  className,
  ...rest
}: { readonly label: ReactNode } & ComponentPropsWithRef<'input'>) {
  return (
    <label className={classNames(styles.check, className)}>
      <input {...rest} type="checkbox" /> <span>{label}</span>
    </label>
  );
}

function given({ labelHidden, hint, error }: Loose): Omit<FieldProps, 'label'> {
  return {
    ...(labelHidden === undefined ? {} : { labelHidden }),
    ...(hint === undefined ? {} : { hint }),
    ...(error === undefined ? {} : { error }),
  };
}
