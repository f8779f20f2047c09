import type { Shape } from '@/lib/api/types';

export type Key = Shape<'KeyShape'>;
export type Group = Shape<'GroupShape'>;
export type Setting = Shape<'SettingShape'>;
export type Release = Shape<'ReleaseShape'>;
export type ChecklistAnswer = Shape<'ChecklistAnswerShape'>;
