import type { Shape } from '@/lib/api/types';

export type Alert = Shape<'AlertShape'>;
export type AlertRule = Shape<'AlertRuleShape'>;
export type Backtest = Shape<'BacktestShape'>;
export type BacktestLine = Shape<'BacktestLineShape'>;
export type Checked = Shape<'CheckedShape'>;
export type RuleForm = Shape<'RuleFormShape'>;
export type Silence = Shape<'SilenceShape'>;
export type Change = Shape<'ChangeShape'>;
export type Unit = Backtest['unit'];
