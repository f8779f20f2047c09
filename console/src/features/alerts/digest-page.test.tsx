import { render, screen } from '@testing-library/react';
import { expect, it } from 'vitest';

import { DigestPage } from './digest-page';

const PAGE = `<!doctype html><html><head><style>h1 { color: red }</style></head><body><h1>Ken on 2026-11-20</h1>
<p>Quiet &lt;b&gt;day&lt;/b&gt;.</p><script>window.hacked = true</script><img src="x" onerror="window.hacked = true">
<iframe src="https://example.com"></iframe><p onclick="window.hacked = true" style="color: red" class="soft strange">told</p>
<table><tr><td class="n far">3</td><td><svg width="10" height="5" viewBox="0 0 10 5" onload="window.hacked = true"><path class="day" d="M0 1L2 3"/><script>1</script></svg></td></tr></table>
</body></html>`;

it('shows what a digest is made of, and nothing else', () => {
  const { container } = render(<DigestPage html={PAGE} />);
  expect(screen.getAllByRole('heading', { name: 'Ken on 2026-11-20' })).toHaveLength(1);
  expect(screen.getAllByText('Quiet <b>day</b>.')).toHaveLength(1);
  expect(container.querySelector('path')?.getAttribute('d')).toBe('M0 1L2 3');
  expect(container.querySelectorAll('script, img, iframe, style, [style], [onclick], [onload]')).toHaveLength(0);
  expect('hacked' in window).toBe(false);
});
