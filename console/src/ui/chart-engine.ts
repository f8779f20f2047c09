/** The one place that knows ECharts: the parts that charts need, in a file of its own that is fetched when the first chart is seen. */
import { BarChart, LineChart } from 'echarts/charts';
import { GridComponent, MarkLineComponent } from 'echarts/components';
import { init, use as register, type EChartsType } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

import type { ChartOption } from './chart-option';

register([LineChart, BarChart, GridComponent, MarkLineComponent, CanvasRenderer]);

/** A drawing in an element. */
export interface Drawing {
  readonly show: (option: ChartOption, size: { readonly width: number; readonly height: number }) => void;
  /** The value at a height, in pixels from the top; null outside of the plot. */
  readonly valueAt: (y: number) => number | null;
  readonly dispose: () => void;
}

/** A drawing that fills an element; nothing is shown yet. */
export function draw(holder: HTMLElement, size: { readonly width: number; readonly height: number }): Drawing {
  const chart: EChartsType = init(holder, null, { renderer: 'canvas', ...size });
  let last = size;
  return {
    show: (option, wanted) => {
      if (wanted.width !== last.width || wanted.height !== last.height) {
        last = wanted;
        chart.resize(wanted);
      }
      chart.setOption(option, { notMerge: true });
    },
    valueAt: (y) => {
      const found: unknown = chart.convertFromPixel({ yAxisIndex: 0 }, y);
      return typeof found === 'number' && Number.isFinite(found) ? found : null;
    },
    dispose: () => {
      chart.dispose();
    },
  };
}
