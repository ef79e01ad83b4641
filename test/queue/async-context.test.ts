import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { freeTransport, makeMessages } from '../../bench/free-transport.ts';
import { heapUsed } from '../../bench/heap.ts';
import { createBroker, ManualClock } from '../../src/broker.ts';
import { type LeasedMessage, openQueue, type Queue } from '../../src/index.ts';
import type { QueueTransport } from '../../src/contract/transport.ts';
import { settleMap, toObservable } from '../../src/rxjs.ts';
import { type Surface, surfaces } from './context-surfaces.ts';

const context = new AsyncLocalStorage<string>();

/** Notes each push as it is made, and takes its time over it. */
function slowPushes(note: () => void): QueueTransport {
  const push = async (): Promise<object> => {
    note();
    for (let turns = 0; turns < 50; turns += 1) await nextTurn();
    return {};
  };
  return { pull: async () => ({ messages: [] }), push, bulkPush: push } as Partial<QueueTransport> as QueueTransport;
}

/** Gives its answers in a context of its own, and some turns later, as a pool of connections does. */
function answerElsewhere(transport: QueueTransport): QueueTransport {
  return new Proxy(transport, {
    get(target, name: keyof QueueTransport) {
      const call = target[name].bind(target) as (...given: unknown[]) => Promise<unknown>;
      return (...given: unknown[]) =>
        new Promise((resolve, reject) => {
          context.run('answer', () => void nextTurn().then(() => call(...given).then(resolve, reject)));
        });
    },
  });
}

type Settle = (message: LeasedMessage<string>) => Promise<unknown>;

const settles: Readonly<Record<string, Settle>> = {
  'at once': (message) => message.ack(),
  'later on': async (message) => {
    await nextTurn();
    await message.ack();
  },
  'with a retry': async (message) => {
    await nextTurn();
    await (message.attempts === 1 ? message.retry({ delaySeconds: 0 }) : message.ack());
  },
};

interface Scene {
  readonly clock: ManualClock;
  readonly queue: Queue<string>;
  readonly push: (count: number, delaySeconds?: number) => void;
  /** In which context the work on each message was started. */
  readonly started: string[];
  readonly pause: () => void;
  readonly resume: () => void;
  /** Resolves when so many messages were started. */
  readonly until: (count: number) => Promise<void>;
}

async function play(surface: Surface, how: string, act: (scene: Scene) => Promise<void>): Promise<string[]> {
  const clock = new ManualClock();
  const broker = createBroker({ clock, queues: { jobs: {} } });
  const transport = broker.transport('jobs');
  const queue = openQueue<string>({ transport: answerElsewhere(transport), clock });
  const started: string[] = [];
  const running = context.run('home', () =>
    surface(queue, async (message, done) => {
      started.push(context.getStore() ?? 'none');
      await context.run('work', async () => {
        await settles[how]?.(message);
        done?.();
      });
    }),
  );
  const push = (count: number, delaySeconds = 0): void => {
    for (let n = 0; n < count; n += 1) broker.push('jobs', { body: `${n}`, delaySeconds });
  };
  const until = async (count: number): Promise<void> => {
    for (let turns = 0; started.length < count && turns < 2_000; turns += 1) await clock.advance(20);
    expect(started.length).toBeGreaterThanOrEqual(count);
  };
  await act({ clock, queue, push, started, until, pause: running.pause, resume: running.resume });
  await clock.runUntil(context.run('stop', () => running.stop()));
  return started;
}

describe.each(Object.entries(surfaces))('%s', (_, surface) => {
  it.each(Object.keys(settles))('starts its work in the context it was opened in, whoever settles, %s', async (how) => {
    const started = await play(surface, how, async ({ push, until }) => {
      push(20);
      await context.run('test', () => until(20));
    });
    expect(new Set(started)).toEqual(new Set(['home']));
  });

  it('does so when a send wakes it', async () => {
    const started = await play(surface, 'later on', async ({ queue, until, clock }) => {
      await clock.advance(5_000);
      for (let n = 1; n <= 5; n += 1) {
        const sent = context.run('send', () => queue.send(`${n}`));
        await clock.runUntil(sent);
        await until(n);
      }
    });
    expect(started).toEqual(Array.from({ length: 5 }, () => 'home'));
  });

  it('does so when it is resumed', async () => {
    const started = await play(surface, 'later on', async ({ push, until, pause, resume, clock }) => {
      for (let n = 1; n <= 3; n += 1) {
        context.run('pause', pause);
        push(2);
        await clock.advance(1_000);
        context.run('resume', resume);
        await until(2 * n);
      }
    });
    expect(new Set(started)).toEqual(new Set(['home']));
  });

  it('does so when a timer wakes it', async () => {
    const started = await play(surface, 'later on', async ({ push, until }) => {
      for (let n = 1; n <= 3; n += 1) {
        push(2, 20);
        await context.run('timer', () => until(2 * n));
      }
    });
    expect(new Set(started)).toEqual(new Set(['home']));
  });
});

describe('process()', () => {
  it('starts later work in its own context also where work changes that for good', async () => {
    const started = await play(
      (queue, work) => {
        const change = async (message: LeasedMessage<string>): Promise<void> => {
          const done = work(message);
          context.enterWith('changed');
          await done;
        };
        const processor = queue.process(change, { concurrency: 1 });
        return { pause: () => undefined, resume: () => undefined, stop: () => processor.close() };
      },
      'later on',
      async ({ push, until }) => {
        push(20);
        await until(20);
      },
    );
    expect(new Set(started)).toEqual(new Set(['home']));
  });

  it('keeps no context of its work alive', async () => {
    const count = 100_000;
    const each = new AsyncLocalStorage<object>();
    let left = count;
    const transport = freeTransport((asked) => {
      const given = Math.min(asked, left);
      left -= given;
      return makeMessages(given);
    });
    const alive: WeakRef<object>[] = [];
    const work = (message: LeasedMessage): Promise<void> => {
      const store = {};
      if (alive.length < count - 100) alive.push(new WeakRef(store));
      return each.run(store, async () => {
        await nextTurn();
        await message.ack();
      });
    };
    await openQueue({ transport }).process(work, { concurrency: 100, stopWhenEmpty: true });
    await nextTurn();
    heapUsed();
    expect(alive.filter((store) => store.deref() !== undefined).length).toBeLessThan(10);
  });
});

describe('send()', () => {
  it('pushes what waits for others in the context that the queue was opened in', async () => {
    const clock = new ManualClock();
    const pushed: string[] = [];
    const transport = slowPushes(() => pushed.push(context.getStore() ?? 'none'));
    const queue = context.run('home', () => openQueue<string>({ transport, clock }));
    const sent: Promise<void>[] = [];
    for (let n = 0; n < 8; n += 1) {
      sent.push(context.run(`send ${n}`, () => queue.send('hello')));
      await nextTurn();
      await nextTurn();
    }
    await Promise.all(sent);
    expect(pushed).toEqual(['send 0', 'send 1', 'send 2', 'send 3', 'home']);
  });
});

describe('settleMap()', () => {
  it('does not begin what was to begin when it is unsubscribed from', async () => {
    const clock = new ManualClock();
    const broker = createBroker({ clock, queues: { jobs: {} } });
    for (let n = 0; n < 1_000; n += 1) broker.push('jobs', { body: `${n}` });
    const queue = openQueue<string>({ transport: broker.transport('jobs'), clock });
    const begun: string[] = [];
    let leave = false;
    const subscription = toObservable(queue)
      .pipe(
        settleMap(
          ({ body }) =>
            new Observable<never>((subscriber) => {
              begun.push(body);
              clock.setTimer(() => {
                subscriber.complete();
                if (leave) subscription.unsubscribe();
              }, 10);
            }),
          { concurrency: 1 },
        ),
      )
      .subscribe();
    await clock.advance(1_000);
    const before = begun.length;
    leave = true;
    await clock.advance(1_000);
    expect(before).toBeGreaterThan(5);
    expect(begun).toHaveLength(before);
  });
});
