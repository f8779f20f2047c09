import { useQuery } from '@tanstack/react-query';
import { Link, useLocation } from '@tanstack/react-router';
import { Menu as MenuIcon, Monitor, Moon, Sun } from 'lucide-react';
import { useState } from 'react';

import { apiQuery } from '@/lib/api/client';
import type { Me } from '@/lib/api/types';
import { storedKey, storeKey } from '@/lib/key';
import { IconButton } from '@/ui/button';
import { classNames } from '@/ui/class-names';
import { Tooltip } from '@/ui/tooltip';

import { choose, chosen, type Scheme } from './scheme';
import styles from './top-bar.module.css';

interface Place {
  readonly to: '/' | '/search' | '/knowledge' | '/traces' | '/views' | '/gateway' | '/alerts' | '/settings';
  readonly name: string;
  /** Shown to operators alone. */
  readonly operators: boolean;
}

const PLACES: readonly Place[] = [
  { to: '/', name: 'Ask', operators: false },
  { to: '/search', name: 'Search', operators: false },
  { to: '/knowledge', name: 'Knowledge', operators: false },
  { to: '/traces', name: 'Traces', operators: false },
  { to: '/views', name: 'Views', operators: true },
  { to: '/gateway', name: 'Gateway', operators: true },
  { to: '/alerts', name: 'Alerts', operators: true },
  { to: '/settings', name: 'Settings', operators: true },
];

/** The brand, the places, and light or dark. */
export function TopBar({ me }: { readonly me: Me | undefined }) {
  const { pathname } = useLocation();
  // The list that was opened on one page is closed on the next.
  const [openedOn, setOpenedOn] = useState<string | null>(null);
  const isOpen = openedOn === pathname;
  const operates = me?.is_operator === true;
  return (
    <header className={styles.bar}>
      <Link to="/" className={styles.brand}>
        <img src="/assets/mark.svg" alt="" width="26" height="26" />
        <span>Ken</span>
      </Link>
      <IconButton
        label="Pages"
        className={styles.opener}
        aria-expanded={isOpen}
        aria-controls="places"
        onClick={() => setOpenedOn(isOpen ? null : pathname)}
      >
        <MenuIcon />
      </IconButton>
      <nav id="places" aria-label="Pages" className={classNames(styles.places, isOpen && styles.open)}>
        {PLACES.filter((place) => operates || (me !== undefined && !place.operators)).map((place) => (
          <Link
            key={place.to}
            to={place.to}
            activeOptions={{ exact: place.to === '/', includeSearch: false }}
            className={styles.place}
            {...(place.to === '/' && pathname.startsWith('/c/')
              ? { 'aria-current': 'page', 'data-status': 'active' }
              : {})}
          >
            {place.name}
            {place.to === '/alerts' && operates && <Firing />}
          </Link>
        ))}
      </nav>
      <div className={styles.end}>
        {me?.simulated === true && (
          <Tooltip content="The record holds questions that `ken simulate` made up: nobody asked them.">
            <button type="button" className={styles.simulated}>
              Simulated<span className="unseen">: the record holds questions that nobody asked</span>
            </button>
          </Tooltip>
        )}
        {me !== undefined && storedKey() !== null && (
          <button type="button" className={styles.who} title="Forget this key" onClick={() => storeKey(null)}>
            {me.name}
          </button>
        )}
        <SchemeSwitch />
      </div>
    </header>
  );
}

/** How many alerts are firing, beside the word Alerts. */
function Firing() {
  const { data } = useQuery(apiQuery('/api/alerts'));
  const firing = data?.alerts.filter((alert) => alert.state === 'firing').length ?? 0;
  if (firing === 0) return null;
  return (
    <span className={styles.firing}>
      {firing}
      <span className="unseen"> firing</span>
    </span>
  );
}

const NEXT: Record<Scheme, Scheme> = { system: 'light', light: 'dark', dark: 'system' };
const ICONS = { system: <Monitor />, light: <Sun />, dark: <Moon /> };
const NAMES = { system: 'as the system', light: 'light', dark: 'dark' };

function SchemeSwitch() {
  const [scheme, setScheme] = useState<Scheme>(chosen);
  return (
    <IconButton
      label={`Colours: ${NAMES[scheme]}`}
      onClick={() => {
        choose(NEXT[scheme]);
        setScheme(NEXT[scheme]);
      }}
    >
      {ICONS[scheme]}
    </IconButton>
  );
}
