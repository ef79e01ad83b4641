import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BuiltPackage } from '../end-to-end/built-package.ts';

type Step = 'handle' | 'polyfill' | 'rxjs';

/** The orders in which a process may open a queue, define `Symbol.observable` and load rxjs. */
export const orders: ReadonlyArray<readonly Step[]> = [
  ['handle', 'polyfill', 'rxjs'],
  ['handle', 'rxjs', 'polyfill'],
  ['polyfill', 'handle', 'rxjs'],
  ['polyfill', 'rxjs', 'handle'],
  ['rxjs', 'handle', 'polyfill'],
  ['rxjs', 'polyfill', 'handle'],
];

/** RxJS 6, 7 and 8. */
export const versions = ['rxjs6', 'rxjs', 'rxjs8'] as const;

export interface Asked {
  readonly order: readonly Step[];
  readonly polyfill: string;
  readonly rxjs: string;
  readonly source?: 'queue' | 'consumer' | 'batches';
}

/** What becomes of the messages of a queue that a process of its own reads with `rxjs.from()`. */
export async function readInOrder(built: BuiltPackage, asked: Asked): Promise<unknown> {
  const parameters = {
    source: 'queue',
    ...asked,
    library: built.module('index'),
    broker: built.module('broker'),
    surfaces: built.module('rxjs'),
    packages: join(import.meta.dirname, '../crossings/packages/package.json'),
  };
  const script = join(import.meta.dirname, 'observable-order.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(parameters)]);
  return JSON.parse(stdout);
}

/** As it should be: nothing acknowledged before its work had ended well, and nothing going on after `take`. */
export const asItShould = { early: 0, hasAcked: true, isPulling: false };
