import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

type Rgb = readonly [number, number, number];

const tokens = readFileSync(`${import.meta.dirname}/../app/tokens.css`, 'utf8');

/** A custom property of tokens.css in both schemes. */
function token(name: string): readonly [Rgb, Rgb] {
  const found = new RegExp(`--${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\)`).exec(tokens);
  if (found?.[1] === undefined || found[2] === undefined) throw new Error(`tokens.css has no --${name}`);
  return [rgb(found[1]), rgb(found[2])];
}

function rgb(hex: string): Rgb {
  const part = (at: number) => linear(Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  return [part(1), part(3), part(5)];
}

function linear(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function luminance([r, g, b]: Rgb): number {
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** WCAG 2.2. */
function contrast(one: Rgb, other: Rgb): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** Machado, Oliveira and Fernandes 2009, full severity, in linear RGB. */
const VISIONS: Readonly<Record<string, readonly [Rgb, Rgb, Rgb]>> = {
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  'every cone': [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

function seenBy(matrix: readonly [Rgb, Rgb, Rgb], colour: Rgb): Rgb {
  const row = (weights: Rgb) => {
    const sum = weights[0] * colour[0] + weights[1] * colour[1] + weights[2] * colour[2];
    return Math.min(1, Math.max(0, sum));
  };
  return [row(matrix[0]), row(matrix[1]), row(matrix[2])];
}

/** CIE L*a*b* under D65. */
function lab([r, g, b]: Rgb): Rgb {
  const f = (value: number) => (value > 216 / 24389 ? Math.cbrt(value) : (24389 / 27) * (value / 116) + 16 / 116);
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** CIE76: 2.3 can just be seen side by side. */
function distance(one: Rgb, other: Rgb): number {
  const [a, b] = [lab(one), lab(other)];
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

const SERIES = Array.from({ length: 8 }, (_, at) => token(`series-${at + 1}`));
const SCHEMES = ['light', 'dark'].map((name, at) => ({ name, at: at as 0 | 1 }));

describe.each(SCHEMES)('series colours, $name', ({ at }) => {
  it('have a contrast of 3:1 with what they stand on', () => {
    for (const surface of ['paper', 'raised']) {
      for (const series of SERIES) expect(contrast(series[at], token(surface)[at])).toBeGreaterThanOrEqual(3);
    }
  });

  it.each(Object.keys(VISIONS))('are told apart with %s', (vision) => {
    const matrix = VISIONS[vision];
    if (matrix === undefined) throw new Error(vision);
    const found = SERIES.map((series) => seenBy(matrix, series[at]));
    found.forEach((one, place) => {
      found.slice(place + 1).forEach((other, next) => {
        expect(distance(one, other), `series ${place + 1} and ${place + next + 2}`).toBeGreaterThanOrEqual(20);
      });
    });
  });
});
