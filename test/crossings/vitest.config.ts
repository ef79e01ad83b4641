import { defineConfig } from 'vitest/config';
import { base } from '../base.config.ts';

// Not merged: the files of the gate would be added.
export default defineConfig({
  ...base,
  test: { ...base.test, include: ['test/crossings/*.crossing.ts'], typecheck: { enabled: false } },
});
