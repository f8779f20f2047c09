import { Prose } from '@/ui/prose';

import guide from '../../../../docs/guides/alerts.md?raw';
import { sectionOf } from './guide-section';
import styles from './runbook-view.module.css';

/** A section of the guide to alerts. */
export function GuideView({ section }: { readonly section: string }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must take the focus
    <div className={styles.text} role="region" aria-label="What to do" tabIndex={0}>
      <Prose source={sectionOf(guide, section)} headingShift={2} />
    </div>
  );
}
