import type { BarSeriesOption, LineSeriesOption } from 'echarts/charts';
import type { GridComponentOption, MarkLineComponentOption } from 'echarts/components';
import type { ComposeOption } from 'echarts/core';

import { lonely, tickInWords, type ChartLevel, type ChartSeries, type Format } from './chart-series';

export type ChartOption = ComposeOption<
  LineSeriesOption | BarSeriesOption | GridComponentOption | MarkLineComponentOption
>;

/** Room around the plot in pixels: alike in every chart, so that times stand above each other. */
export const INSET = { left: 58, right: 12, top: 8, bottom: 22 } as const;

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
}

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
    grid: { ...INSET, containLabel: false },
    xAxis: {
      type: 'time',
      min: begin * 1000,
      max: (begin + times.length * stepS) * 1000,
      axisLine: { lineStyle: { color: colours.line } },
      axisTick: { lineStyle: { color: colours.line } },
      axisLabel: { ...text, hideOverlap: true, formatter: (at: number) => tickInWords(at) },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      splitNumber: 3,
      ...range(plan),
      axisLabel: { ...text, formatter: (value: number) => format(value) },
      splitLine: { lineStyle: { color: colours.line } },
    },
    series: series.map((one, place) => drawn(one, { place, plan, colours })),
  };
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

/** The axis begins at 0 unless a value is below; `atLeast` and `atMost` widen or narrow it. */
function range({ atLeast, atMost, series, levels }: ChartPlan): {
  min: number;
  max?: number | ((told: { max: number }) => number);
} {
  const values = series.flatMap((one) => one.values.filter((value) => value !== null));
  const lowest = Math.min(atLeast ?? 0, ...values);
  const reach = Math.max(atMost ?? -Infinity, ...(levels ?? []).map(({ value }) => value));
  if (reach === -Infinity) return { min: lowest };
  return { min: lowest, max: ({ max }) => Math.max(max, reach) };
}
