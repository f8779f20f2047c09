import { Tooltip as AriaTooltip, TooltipAnchor, TooltipProvider } from '@ariakit/react';
import type { ReactElement, ReactNode } from 'react';

import styles from './overlay.module.css';

/** More about an element, on hover and on focus. `children` is one element that can take focus. */
export function Tooltip({ content, children }: { readonly content: ReactNode; readonly children: ReactElement }) {
  return (
    <TooltipProvider timeout={300}>
      <TooltipAnchor render={children} />
      <AriaTooltip gutter={6} className={styles.tooltip} portal unmountOnHide>
        {content}
      </AriaTooltip>
    </TooltipProvider>
  );
}
