import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';

import { Button, type ButtonProps } from './button';

export interface CopyButtonProps extends Omit<ButtonProps, 'onClick' | 'icon' | 'children'> {
  /** What is copied, or how to get it when it is wanted. */
  readonly text: string | (() => string);
  readonly label?: string;
}

/** Copies a text, and says that it did. */
export function CopyButton({ text, label = 'Copy', ...rest }: CopyButtonProps) {
  const [told, setTold] = useState<'idle' | 'done' | 'failed'>('idle');
  useEffect(() => {
    if (told === 'idle') return undefined;
    const timer = setTimeout(() => setTold('idle'), 2000);
    return () => clearTimeout(timer);
  }, [told]);
  const copy = () => {
    navigator.clipboard.writeText(typeof text === 'string' ? text : text()).then(
      () => setTold('done'),
      () => setTold('failed'),
    );
  };
  return (
    <Button look="quiet" small {...rest} icon={told === 'done' ? <Check /> : <Copy />} onClick={copy}>
      <span aria-live="polite">{told === 'done' ? 'Copied' : told === 'failed' ? "Couldn't copy" : label}</span>
    </Button>
  );
}
