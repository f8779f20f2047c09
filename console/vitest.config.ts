import { mergeConfig } from 'vite';
import { defineConfig } from 'vitest/config';

import built from './vite.config.ts';

export default mergeConfig(
  built,
  defineConfig({
    test: {
      environment: 'jsdom',
      include: ['src/**/*.test.{ts,tsx}'],
      setupFiles: ['src/test-setup.ts'],
      restoreMocks: true,
      maxWorkers: 2,
    },
  }),
);
