import { render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';

import { Chart, type ChartProps } from './chart';
import type { Step } from './chart-series';

const T0 = new Date(2026, 10, 20, 14).getTime() / 1000;
const TIMES = [T0, T0 + 3600, T0 + 7200];

function shown(rest: Partial<ChartProps> = {}) {
  const series = [
    { id: 'p50', name: 'p50', values: [100, null, 300], whole: 200 },
    { id: 'p95', name: 'p95', values: [900, 800, 700], whole: 850 },
  ];
  return render(
    <Chart title="Latency" times={TIMES} stepS={3600} series={series} format={(ms) => `${ms} ms`} {...rest} />,
  );
}

const slider = () => screen.getByRole('slider', { name: 'Latency: time' });

describe('a chart', () => {
  it('gives its figures as a table, unknown ones as such', async () => {
    shown();
    await userEvent.click(screen.getByRole('button', { name: 'Show Latency as a table' }));
    const rows = within(screen.getByRole('region', { name: 'Latency, as a table' })).getAllByRole('row');
    expect(rows.map((row) => row.textContent)).toEqual([
      'Timep50p95',
      'Fri 20 Nov, 16:00 to 17:00300 ms700 ms',
      'Fri 20 Nov, 15:00 to 16:00–800 ms',
      'Fri 20 Nov, 14:00 to 15:00100 ms900 ms',
    ]);
  });

  it('is read by the arrow keys, and Enter chooses the step', async () => {
    const chosen: [Step, string | null][] = [];
    shown({ onPoint: (...point) => chosen.push(point) });
    slider().focus();
    await userEvent.keyboard('{Home}{ArrowRight}');
    expect(slider().getAttribute('aria-valuetext')).toBe('Fri 20 Nov, 15:00 to 16:00: p50 unknown, p95 800 ms');
    await userEvent.keyboard('{ArrowDown}{ArrowDown}');
    expect(slider().getAttribute('aria-valuetext')).toBe('Fri 20 Nov, 15:00 to 16:00: p95 800 ms');
    await userEvent.keyboard('{Enter}');
    expect(chosen).toEqual([[{ since: T0 + 3600, until: T0 + 7200 }, 'p95']]);
  });

  it('has a window drawn over it by the keys', async () => {
    const drawn: Step[] = [];
    shown({ onBrush: (window) => drawn.push(window) });
    slider().focus();
    await userEvent.keyboard('{Home}{Shift>}{ArrowRight}{ArrowRight}{ArrowLeft}{/Shift}{Enter}');
    expect(drawn).toEqual([{ since: T0, until: T0 + 7200 }]);
  });

  it('shows the values of the same moment in every chart of its group', async () => {
    const other = { id: 'cost', name: 'Cost', values: [1, 2, 3] };
    shown({ group: 'both' });
    shown({ group: 'both', title: 'Money', series: [other] });
    slider().focus();
    await userEvent.keyboard('{Home}');
    expect(screen.getByRole('slider', { name: 'Money: time' }).getAttribute('aria-valuenow')).toBe('0');
    expect(screen.getByText('1 ms')).toBeTruthy();
  });

  it('hides a series and shows all again when none is left', async () => {
    shown();
    const pressed = () => screen.getAllByRole('button', { pressed: true }).map((button) => button.title);
    await userEvent.click(screen.getByRole('button', { name: /p50/ }));
    expect(pressed()).toEqual(['p95']);
    await userEvent.click(screen.getByRole('button', { name: /p95/ }));
    expect(pressed()).toEqual(['p50', 'p95']);
  });

  it('says that nothing is known where nothing is', () => {
    shown({ series: [{ id: 'p50', name: 'p50', values: [null, null, null] }] });
    expect(screen.getByText('Nothing was counted in this window.')).toBeTruthy();
  });
});
