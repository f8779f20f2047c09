import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';

import { alertsSearch } from '@/features/alerts/search';
import { askSearch } from '@/features/ask/search';
import { documentSearch, playgroundSearch } from '@/features/documents/search';
import { gatewaySearch } from '@/features/gateway/search';
import { knowledgeSearch } from '@/features/knowledge/search';
import { settingsSearch } from '@/features/settings/search';
import { traceSearch, tracesSearch } from '@/features/traces/search';
import { viewsSearch } from '@/features/views/search';

import { Broken, NotFound, Waiting } from './fallbacks';
import { Shell } from './shell';

// The addresses, which src/ken/service/pages.py knows too. What a page is narrowed to stands in its address, so that it can be sent on.

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: Broken });

// One page for both addresses: a new conversation gets its own while its first answer is coming, and nothing may be built anew then.
const asking = createRoute({
  getParentRoute: () => root,
  id: 'asking',
  validateSearch: askSearch,
  component: lazyRouteComponent(() => import('./ask-route'), 'AskRoute'),
});

const conversations = [
  createRoute({ getParentRoute: () => asking, path: '/' }),
  createRoute({ getParentRoute: () => asking, path: '/c/$conversationId' }),
] as const;

const routes = [
  asking.addChildren(conversations),
  createRoute({
    getParentRoute: () => root,
    path: '/shared/$shareId',
    component: lazyRouteComponent(() => import('./ask-route'), 'SharedRoute'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/documents/$',
    validateSearch: documentSearch,
    component: lazyRouteComponent(() => import('@/features/documents/document-page'), 'DocumentPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/search',
    validateSearch: playgroundSearch,
    component: lazyRouteComponent(() => import('@/features/documents/search-page'), 'SearchPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/knowledge',
    validateSearch: knowledgeSearch,
    component: lazyRouteComponent(() => import('@/features/knowledge/knowledge-page'), 'KnowledgePage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/traces',
    validateSearch: tracesSearch,
    component: lazyRouteComponent(() => import('@/features/traces/traces-page'), 'TracesPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/traces/$traceId',
    validateSearch: traceSearch,
    component: lazyRouteComponent(() => import('@/features/traces/trace-page'), 'TracePage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/views',
    validateSearch: viewsSearch,
    component: lazyRouteComponent(() => import('@/features/views/views-page'), 'ViewsPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/gateway',
    validateSearch: gatewaySearch,
    component: lazyRouteComponent(() => import('@/features/gateway/gateway-page'), 'GatewayPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/alerts',
    validateSearch: alertsSearch,
    component: lazyRouteComponent(() => import('@/features/alerts/alerts-page'), 'AlertsPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/settings',
    validateSearch: settingsSearch,
    component: lazyRouteComponent(() => import('@/features/settings/settings-page'), 'SettingsPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/docs',
    component: lazyRouteComponent(() => import('@/features/reference/reference-page'), 'ReferencePage'),
  }),
] as const;

/** The addresses of the console and what stands at each. */
export const router = createRouter({
  routeTree: root.addChildren(routes),
  defaultPreload: 'intent',
  defaultPendingComponent: Waiting,
  defaultErrorComponent: Broken,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
