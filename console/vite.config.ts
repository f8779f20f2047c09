import { fileURLToPath } from 'node:url';

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

import { compressed } from './compressed.ts';

const KEN = process.env.KEN_URL ?? 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [react(), compressed()],
  resolve: { alias: { '@': fileURLToPath(new URL('src', import.meta.url)) } },
  build: {
    // Ken serves this folder, and its wheel carries it.
    outDir: process.env.CONSOLE_OUT ?? '../src/ken/service/console',
    emptyOutDir: true,
    // Ken's Content-Security-Policy lets scripts, styles and pictures come from its own files alone, not from data: addresses.
    assetsInlineLimit: 0,
    target: 'es2023',
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  server: {
    // Ken takes a request without a key for the local operator's only when it names localhost and came through no proxy.
    proxy: Object.fromEntries(
      ['/api', '/v1', '/openapi.json', '/healthz', '/readyz'].map((path) => [path, { target: KEN, xfwd: false }]),
    ),
  },
});
