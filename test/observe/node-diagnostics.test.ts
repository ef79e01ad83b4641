import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe as listen, tracingChannel, unsubscribe as leave } from 'node:diagnostics_channel';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createBroker, ManualClock } from '../../src/broker.ts';
import { type DiagnosticsEvent, type DiagnosticsPayloads, observeWithDiagnostics } from '../../src/diagnostics.ts';
import { openQueue } from '../../src/index.ts';
import { settleMap, toObservable } from '../../src/rxjs.ts';

const phases = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
type Payload = DiagnosticsPayloads['leasestream:process'];

let unsubscribe: (() => void)[] = [];

afterEach(() => {
  for (const each of unsubscribe) each();
  unsubscribe = [];
});

function subscribe(name: keyof DiagnosticsPayloads, onMessage: (phase: string, payload: Payload) => void): void {
  for (const phase of phases) {
    const listener = (payload: unknown): void => onMessage(phase, payload as Payload);
    listen(`tracing:${name}:${phase}`, listener);
    unsubscribe.push(() => leave(`tracing:${name}:${phase}`, listener));
  }
}

function open() {
  const clock = new ManualClock();
  const broker = createBroker({ clock, queues: { jobs: {} } });
  const queue = openQueue<string>({ transport: broker.transport('jobs'), clock, observer: observeWithDiagnostics() });
  const push = (count: number): void => {
    for (let n = 0; n < count; n += 1) broker.push('jobs', { body: `${n}` });
  };
  return { clock, queue, push };
}

const once = { stopWhenEmpty: { forMs: 5_000 }, retryDelaySeconds: 1 } as const;

describe('observeWithDiagnostics()', () => {
  it('traces the work on a message, with the same object all the while', async () => {
    const { clock, queue, push } = open();
    push(1);
    const seen: (readonly [string, Payload])[] = [];
    subscribe('leasestream:process', (phase, payload) => seen.push([phase, payload]));
    const handler = async (): Promise<void> => {
      const [, payload] = seen.at(-1) ?? [];
      if (payload !== undefined) seen.push(['work', payload]);
      await nextTurn();
    };
    await clock.runUntil(queue.process(handler, once));
    expect(seen.map(([phase]) => phase)).toEqual(['start', 'work', 'end', 'asyncStart', 'asyncEnd']);
    expect(new Set(seen.map(([, payload]) => payload)).size).toBe(1);
    expect(seen[0]?.[1]).toMatchObject({
      queue: { name: 'queue' },
      isBatch: false,
      messages: [{ body: '0', attempts: 1 }],
      outcome: { acks: 1, retries: 0, abandoned: 0 },
    });
  });

  it('tells of a failure before the end', async () => {
    const { clock, queue, push } = open();
    push(1);
    const failure = new Error('no');
    const seen: (readonly [string, unknown])[] = [];
    subscribe('leasestream:process', (phase, { error }) => seen.push([phase, error]));
    const running = queue.process(({ attempts }) => {
      if (attempts === 1) throw failure;
    }, once);
    await clock.runUntil(running);
    expect(seen.slice(0, 5)).toEqual([
      ['start', undefined],
      ['end', undefined],
      ['error', failure],
      ['asyncStart', failure],
      ['asyncEnd', failure],
    ]);
  });

  it('runs work in the stores that are bound to its start', async () => {
    const { clock, queue, push } = open();
    push(6);
    const store = new AsyncLocalStorage<Payload>();
    const { start } = tracingChannel('leasestream:process');
    start.bindStore(store, (payload: object) => payload);
    unsubscribe.push(() => start.unbindStore(store));
    const seen: boolean[] = [];
    const check = async ({ id }: { readonly id: string }): Promise<void> => {
      const isOwn = (): boolean => store.getStore()?.messages[0]?.id === id;
      seen.push(isOwn());
      await nextTurn();
      seen.push(isOwn());
    };
    await clock.runUntil(queue.process(check, once));
    push(6);
    const observing = toObservable(queue)
      .pipe(settleMap(check, { concurrency: 1 }))
      .subscribe();
    for (let turns = 0; seen.length < 24 && turns < 500; turns += 1) await clock.advance(20);
    observing.unsubscribe();
    expect(seen).toEqual(Array.from({ length: 24 }, () => true));
  });

  it('traces pulls, settlements and sends', async () => {
    const { clock, queue } = open();
    const seen: string[] = [];
    for (const name of ['send', 'receive', 'settle'] as const)
      subscribe(`leasestream:${name}`, (phase) => seen.push(`${name} ${phase}`));
    await clock.runUntil(queue.send('hello'));
    expect(seen).toEqual(['send start', 'send end', 'send asyncStart', 'send asyncEnd']);
    await clock.runUntil(queue.process(() => undefined, { stopWhenEmpty: true }));
    for (const name of ['receive', 'settle']) {
      const of = seen.filter((each) => each.startsWith(name));
      expect(of.slice(0, 2)).toEqual([`${name} start`, `${name} end`]);
      expect(of.filter((each) => each.endsWith('asyncEnd'))).toHaveLength(of.length / 4);
    }
  });

  it('publishes events', async () => {
    const { clock, queue, push } = open();
    push(1);
    const seen: unknown[] = [];
    const listener = (message: unknown): void => void seen.push((message as DiagnosticsEvent).event.type);
    listen('leasestream:event', listener);
    unsubscribe.push(() => leave('leasestream:event', listener));
    const running = queue.process(({ attempts }) => {
      if (attempts === 1) throw new Error('no');
    }, once);
    await clock.runUntil(running);
    expect(seen).toEqual(['handlerFailed']);
  });

  it('follows nothing while nobody has subscribed', () => {
    const observer = observeWithDiagnostics();
    const { clock, queue } = open();
    const start = {
      queue: { name: 'jobs', origin: undefined, now: () => clock.now(), metrics: () => queue.metrics() },
      at: 0,
      messages: 1,
      isBatch: false,
    };
    expect(observer.send?.(start)).toBeUndefined();
    subscribe('leasestream:send', () => undefined);
    expect(observer.send?.(start)).toBeDefined();
  });
});
