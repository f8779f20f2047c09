/** Light or dark, where somebody has chosen; else as the system has it. public/assets/scheme.js applies it before the first paint. */
export type Scheme = 'system' | 'light' | 'dark';

const NAME = 'ken-scheme';

/** What was chosen in this browser. */
export function chosen(): Scheme {
  const scheme = document.documentElement.dataset.scheme;
  return scheme === 'light' || scheme === 'dark' ? scheme : 'system';
}

/** Choose; from now on, also after the page is loaded again. */
export function choose(scheme: Scheme): void {
  if (scheme === 'system') delete document.documentElement.dataset.scheme;
  else document.documentElement.dataset.scheme = scheme;
  try {
    if (scheme === 'system') localStorage.removeItem(NAME);
    else localStorage.setItem(NAME, scheme);
  } catch {
    // Storage may be closed to us: then it holds until the page is left.
  }
}
