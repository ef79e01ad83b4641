import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NamedTypes } from './named-types.ts';

const files = {
  'index.d.ts': `export { open, type Options as OpenOptions } from './open.ts';\nexport type { Size } from './size.js';\n`,
  'open.d.ts': `import { type Elsewhere } from 'elsewhere';
import type { Size, Unit as Measure } from './size.ts';
/** Of {@link Comment}. */
interface Hidden<Item> extends Elsewhere {
    readonly item: Item | 'Literal';
}
export interface Options {
    readonly size: Size<Measure>;
}
interface Unreached {}
export declare function open(options: Options): Hidden<Promise<string>>;
`,
  'size.d.ts': `export type Unit = 'm' | 'ft';\nexport type Size<U> = readonly [number, U, typeof Symbol.iterator];\n`,
};

describe('NamedTypes', () => {
  it('finds what is exported and what that names, through files and other names', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'leasestream-types-'));
    try {
      await Promise.all(Object.entries(files).map(([file, code]) => writeFile(join(directory, file), code)));
      const named = new NamedTypes();
      const shown = (types: ReadonlySet<string>): readonly string[] =>
        [...types].map((type) => type.slice(directory.length + 1)).toSorted();
      const entry = join(directory, 'index.d.ts');
      const exported = ['open.d.ts#Options', 'open.d.ts#open', 'size.d.ts#Size'];
      expect(shown(named.exportsOf(entry))).toEqual(exported);
      const reached = [...exported, 'open.d.ts#Hidden', 'size.d.ts#Unit'].toSorted();
      expect(shown(named.reachableFrom(entry))).toEqual(reached);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
