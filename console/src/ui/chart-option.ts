import type { BarSeriesOption, LineSeriesOption } from 'echarts/charts';
import type { GridComponentOption, MarkLineComponentOption } from 'echarts/components';
import type { ComposeOption } from 'echarts/core';

import { lonely, tickInWords, type ChartLevel, type ChartSeries, type Format } from './chart-series';

export type ChartOption = ComposeOption<
  LineSeriesOption | BarSeriesOption | GridComponentOption | MarkLineComponentOption
>;

/** Room around the plot in pixels: alike in every chart, so that times stand above each other. */
export const INSET = { left: 68, right: 12, top: 8, bottom: 22 } as const;

/** How many series are told apart by colour and dashes; more should be put together by the caller. */
export const COLOURS = 8;

/** Of lines: colour alone tells nobody apart who doesn't see it. */
export const DASHES: readonly (readonly number[])[] = [
  [],
  [6, 3],
  [2, 2],
  [10, 3, 2, 3],
  [],
  [6, 3],
  [2, 2],
  [10, 3, 2, 3],
];

/** Colours as the browser has worked them out. */
export interface ChartColours {
  readonly series: readonly string[];
  readonly soft: string;
  readonly line: string;
  readonly paper: string;
  readonly font: string;
}

export interface ChartPlan {
  /** Where each step begins, seconds since the epoch. */
  readonly times: readonly number[];
  readonly stepS: number;
  readonly series: readonly ChartSeries[];
  readonly format: Format;
  readonly levels?: readonly ChartLevel[];
  /** The least and the greatest value that the axis shows in any case. */
  readonly atLeast?: number;
  readonly atMost?: number;
  /** What no value can exceed, such as 1 of a share: the axis never goes beyond. */
  readonly ceiling?: number;
  /** Of the plot in pixels: a low one has fewer lines. */
  readonly height?: number;
}

const LOW_PX = 130;

/** Which of the series colours a series has, from 1. */
export function colourOf(series: ChartSeries, place: number): number {
  return (((series.colour ?? place + 1) - 1) % COLOURS) + 1;
}

/** What ECharts draws: no legend, tooltip or marks, which are elements of the page; a step's value stands in its middle. */
export function chartOption(plan: ChartPlan, colours: ChartColours): ChartOption {
  const { times, stepS, series, format } = plan;
  const begin = times[0] ?? 0;
  const text = { color: colours.soft, fontFamily: colours.font, fontSize: 11 };
  return {
    animation: false,
    // Whatever the labels' length, the plot stays where it is: times stand above each other.
    grid: { ...INSET, outerBoundsMode: 'none' },
    xAxis: {
      type: 'time',
      min: begin * 1000,
      max: (begin + times.length * stepS) * 1000,
      containShape: false, // the overlay's steps, marks and crosshair are measured from min to max: room for bars would shift them
      axisLine: { lineStyle: { color: colours.line } },
      axisTick: { lineStyle: { color: colours.line } },
      axisLabel: { ...text, hideOverlap: true, alignMaxLabel: 'right', formatter: (at: number) => tickInWords(at) },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      splitNumber: (plan.height ?? LOW_PX) < LOW_PX ? 2 : 3,
      ...range(plan),
      ...(isWhole(series) ? { minInterval: 1 } : {}),
      axisLabel: { ...text, formatter: (value: number) => format(value) },
      splitLine: { lineStyle: { color: colours.line } },
    },
    series: series.map((one, place) => drawn(one, { place, plan, colours })),
  };
}

/** Whether there are counts alone: half a question is no tick. */
function isWhole(series: readonly ChartSeries[]): boolean {
  return series.every(({ values }) => values.every((value) => value === null || Number.isInteger(value)));
}

function drawn(
  one: ChartSeries,
  { place, plan, colours }: { place: number; plan: ChartPlan; colours: ChartColours },
): LineSeriesOption | BarSeriesOption {
  const at = colourOf(one, place);
  const color = colours.series[at - 1] ?? colours.soft;
  const middle = plan.stepS / 2;
  const data = plan.times.map((time, step) => [(time + middle) * 1000, one.values[step] ?? null]);
  const both = {
    id: one.id,
    name: one.name,
    data,
    silent: true,
    ...(one.stack === undefined ? {} : { stack: one.stack }),
    ...(place === 0 && plan.levels !== undefined ? { markLine: levelLines(plan.levels, colours) } : {}),
  };
  if (one.kind === 'bar') {
    return { ...both, type: 'bar', itemStyle: { color }, barCategoryGap: '15%', barMaxWidth: 40 };
  }
  const alone = lonely(one.values);
  const isArea = one.kind === 'area';
  return {
    ...both,
    type: 'line',
    connectNulls: false,
    showAllSymbol: true,
    symbol: 'circle',
    symbolSize: (_: unknown, { dataIndex }: { dataIndex: number }) => (alone.has(dataIndex) ? 5 : 0),
    itemStyle: { color },
    lineStyle: { color, width: isArea ? 1 : 1.75, type: isArea ? 'solid' : dash(at) },
    // Areas of a stack are parted by a line of paper, so that neighbours of like brightness are told apart.
    ...(isArea ? { areaStyle: { color, opacity: one.stack === undefined ? 0.18 : 0.75 } } : {}),
    ...(isArea && one.stack !== undefined ? { lineStyle: { color: colours.paper, width: 1 } } : {}),
  };
}

function dash(colour: number): 'solid' | number[] {
  const found = DASHES[colour - 1] ?? [];
  return found.length === 0 ? 'solid' : [...found];
}

function levelLines(levels: readonly ChartLevel[], colours: ChartColours): MarkLineComponentOption {
  return {
    silent: true,
    symbol: 'none',
    lineStyle: { color: colours.soft, type: [3, 3], width: 1 },
    label: {
      position: 'insideStartTop',
      color: colours.soft,
      fontFamily: colours.font,
      fontSize: 11,
      formatter: '{b}',
    },
    data: levels.map(({ value, label }) => ({ yAxis: value, name: label })),
  };
}

/** How near to its ceiling a figure has to come for the axis to end there; a tick beyond would be nonsense. */
const NEAR_CEILING = 0.6;

interface Range {
  readonly min: number;
  readonly max?: (told: { readonly max: number }) => number;
  readonly interval?: number;
}

/** The axis begins at 0 unless a value is below; `atLeast` moves that, `atMost` and levels widen it. */
function range({ atLeast, atMost, ceiling, series, levels }: ChartPlan): Range {
  const values = series.flatMap((one) => one.values.filter((value) => value !== null));
  const min = Math.min(atLeast ?? 0, ...values);
  const isStacked = series.some(({ stack }) => stack !== undefined);
  const reach = Math.max(-Infinity, ...(levels ?? []).map(({ value }) => value));
  if (ceiling !== undefined && !isStacked && Math.max(reach, ...values) > ceiling * NEAR_CEILING) {
    return { min, max: () => ceiling, interval: (ceiling - min) / 2 };
  }
  if (atMost !== undefined) return { min, max: ({ max }) => (max > atMost ? roundUp(max) : atMost) };
  return reach === -Infinity ? { min } : { min, max: ({ max }) => roundUp(Math.max(max, reach)) };
}

/** The next number that makes a good end of an axis. */
function roundUp(value: number): number {
  if (value <= 0) return value;
  const size = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((each) => each * size >= value * (1 - 1e-9)) ?? 10;
  return step * size;
}
