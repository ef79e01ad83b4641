import { type } from 'arktype';
import { Schema as EffectSchema } from 'effect';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as yup from 'yup';
import * as z from 'zod';
import type { Schema } from '../../src/contract/schema.ts';
import { openQueue } from '../../src/index.ts';
import { openTwoQueues } from '../convert/two-queues.ts';

interface Order {
  readonly id: string;
  readonly amount: number;
}

const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));
const isKnown = async ({ id }: Order): Promise<boolean> => {
  await wait();
  return id !== 'unknown';
};

const once = z.object({ id: z.string(), amount: z.number() }).refine(isKnown);

/** As the readme has it. */
function parsedOnce<Output>(schema: z.ZodType<Output>): Schema<Output> {
  return {
    '~standard': {
      version: 1,
      vendor: 'zod',
      validate: async (value) => {
        const { data, error } = await schema.safeParseAsync(value);
        return error === undefined ? { value: data } : { issues: error.issues };
      },
    },
  };
}

/** An order, as each library says it: at once, and with a question that takes time. */
const schemas: Record<string, { readonly now: Schema<Order>; readonly later?: Schema<Order> }> = {
  'zod 4': { now: z.object({ id: z.string(), amount: z.number() }), later: once },
  'zod 4, parsed once': { now: parsedOnce(z.object({ id: z.string(), amount: z.number() })), later: parsedOnce(once) },
  valibot: {
    now: v.object({ id: v.string(), amount: v.number() }),
    later: v.pipeAsync(v.object({ id: v.string(), amount: v.number() }), v.checkAsync(isKnown)),
  },
  // Its schemas are functions.
  arktype: { now: type({ id: 'string', amount: 'number' }) },
  effect: {
    now: EffectSchema.toStandardSchemaV1(EffectSchema.Struct({ id: EffectSchema.String, amount: EffectSchema.Number })),
  },
  yup: {
    now: yup.object({ id: yup.string().required(), amount: yup.number().strict().required() }),
    later: yup
      .object({ id: yup.string().required(), amount: yup.number().strict().required() })
      .test('known', 'is not known', isKnown),
  },
};

const unhandled = vi.fn<(error: unknown) => void>();
let others: NodeJS.UnhandledRejectionListener[];

beforeEach(() => {
  unhandled.mockClear();
  others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', unhandled);
});

afterEach(() => {
  process.removeAllListeners('unhandledRejection');
  for (const listener of others) process.on('unhandledRejection', listener);
});

/** What becomes of bodies: those that were handed out, and how many were invalid. */
async function judge(schema: Schema<Order>, bodies: readonly unknown[]) {
  const queues = openTwoQueues();
  for (const body of bodies) queues.broker.push('jobs', { body });
  const queue = openQueue({ transport: queues.jobsCalls, clock: queues.clock, schema });
  const taken: Order[] = [];
  const errors: unknown[] = [];
  const done = queue.process(({ body }) => void taken.push(body), {
    stopWhenEmpty: true,
    onInvalid: (_, error) => {
      errors.push(error);
      return 'ack';
    },
  });
  // The schemas wait by the machine's clock.
  while ((await Promise.race([done, wait()])) === undefined) await queues.clock.advance(10);
  await wait();
  return { taken: taken.toSorted((a, b) => a.amount - b.amount), errors };
}

const good = { id: 'a', amount: 1 };
const bad = { id: 'b', amount: 'two' };

describe('a queue with a schema', () => {
  it.each(Object.entries(schemas))('takes values, and refuses others, by %s', async (_, { now }) => {
    const { taken, errors } = await judge(now, [good, bad, 'nonsense', null]);
    expect(taken).toEqual([good]);
    expect(errors).toHaveLength(3);
    for (const error of errors) expect(error).toMatchObject({ code: 'invalid-body' });
    expect(unhandled).not.toHaveBeenCalled();
  });

  const asynchronous = Object.entries(schemas).flatMap(([name, { later }]) =>
    later === undefined ? [] : [[name, later] as const],
  );

  it.each(asynchronous)('waits for an answer that takes time, of %s', async (_, later) => {
    const { taken, errors } = await judge(later, [good, { id: 'unknown', amount: 2 }, bad]);
    expect(taken).toEqual([good]);
    expect(errors).toHaveLength(2);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe('zod 4', () => {
  const failing = (): { schema: z.ZodType<Order>; calls: () => number } => {
    const check = vi.fn<(order: Order) => Promise<boolean>>().mockImplementation(async () => {
      await wait();
      throw new Error('the database is away');
    });
    return {
      schema: z.object({ id: z.string(), amount: z.number() }).refine(check),
      calls: () => check.mock.calls.length,
    };
  };

  it('asks twice what takes time, and leaves the first failure unhandled, as the readme says', async () => {
    const { schema, calls } = failing();
    const { errors } = await judge(schema, [good]);
    expect(errors).toMatchObject([{ message: 'the database is away' }]);
    expect(calls()).toBe(2);
    expect(unhandled).toHaveBeenCalledTimes(1);
  });

  it('asks once, and leaves nothing unhandled, by parseAsync', async () => {
    const { schema, calls } = failing();
    const { errors } = await judge(parsedOnce(schema), [good]);
    expect(errors).toMatchObject([{ message: 'the database is away' }]);
    expect(calls()).toBe(1);
    expect(unhandled).not.toHaveBeenCalled();
  });
});
