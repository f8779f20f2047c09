import { Prose } from '@/ui/prose';

import guide from '../../../../docs/guides/alerts.md?raw';
import { sectionOf } from './guide-section';
import styles from './runbook-view.module.css';

/** A section of the guide to alerts. */
export function GuideView({ section }: { readonly section: string }) {
  return (
    <div className={styles.text}>
      <Prose source={sectionOf(guide, section)} headingShift={2} />
    </div>
  );
}
