import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltPackage, buildPackage } from '../end-to-end/built-package.ts';
import { asItShould, orders, readInOrder, versions } from './observable-orders.ts';

let built: BuiltPackage;

beforeAll(async () => {
  built = await buildPackage();
}, 60_000);

afterAll(() => built[Symbol.asyncDispose]());

// In every order, and with the polyfills that people use: `npm run crossings`.
describe.concurrent('rxjs.from(), in a process of its own', { timeout: 120_000 }, () => {
  const late = orders.filter((order) => order.indexOf('handle') < order.indexOf('polyfill'));
  const cells = late.flatMap((order) => versions.map((rxjs) => [rxjs, order.join(', '), order] as const));

  it.each(cells)('of %s acknowledges no message early: %s', async (rxjs, _, order) => {
    expect(await readInOrder(built, { order, rxjs, polyfill: 'symbol' })).toEqual(asItShould);
  });

  it.each(['consumer', 'batches'] as const)('acknowledges none early of a %s that is older', async (source) => {
    const order = ['handle', 'polyfill', 'rxjs'] as const;
    expect(await readInOrder(built, { order, rxjs: 'rxjs', polyfill: 'symbol', source })).toEqual(asItShould);
  });

  it("acknowledges none early where Symbol.observable is '@@observable'", async () => {
    const order = ['polyfill', 'handle', 'rxjs'] as const;
    expect(await readInOrder(built, { order, rxjs: 'rxjs', polyfill: 'string' })).toEqual(asItShould);
  });
});
