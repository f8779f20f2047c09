// Before anything is drawn: light or dark, where somebody has chosen. Without a choice the system's preference holds.
try {
  const chosen = localStorage.getItem('ken-scheme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.scheme = chosen;
} catch {
  // Storage may be closed to us: then the system decides.
}
