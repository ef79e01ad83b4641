import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asItShould, orders, readInOrder, versions } from '../convert/observable-orders.ts';
import { type BuiltPackage, buildPackage } from '../end-to-end/built-package.ts';
import { installOthers } from './install-others.ts';

let built: BuiltPackage;

beforeAll(async () => {
  await installOthers();
  built = await buildPackage();
}, 600_000);

afterAll(() => built[Symbol.asyncDispose]());

const polyfills = ['symbol', 'core-js', 'symbol-observable', 'xstream', 'apollo', 'string'];

describe.concurrent('rxjs.from(), in a process of its own', { timeout: 600_000 }, () => {
  describe.for(polyfills)('with the polyfill: %s', (polyfill) => {
    const cells = orders.flatMap((order) => versions.map((rxjs) => [rxjs, order.join(', '), order] as const));

    it.each(cells)('of %s acknowledges no message early: %s', async (rxjs, _, order) => {
      expect(await readInOrder(built, { order, rxjs, polyfill })).toEqual(asItShould);
    });
  });
});
