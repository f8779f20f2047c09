import type { Shape } from '@/lib/api/types';

export type GatewayModels = Shape<'GatewayModelsShape'>;
export type GatewayModel = Shape<'GatewayModelShape'>;
export type GatewayTier = Shape<'GatewayTierShape'>;
export type BreakerState = Shape<'BreakerShape'>['state'];
export type BreakerEvent = Shape<'BreakerEventShape'>;
export type Budget = Shape<'BurnShape'>;
export type CacheFigures = Shape<'CacheFiguresShape'>;
export type CacheEntry = Shape<'CacheEntryShape'>;
export type OpenedEntry = Shape<'OpenedEntryShape'>;
export type Outlook = Shape<'OutlookShape'>;
export type Cost = Shape<'CostShape'>;
export type ListedPrice = Shape<'ListedPriceShape'>;
