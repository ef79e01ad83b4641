import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Broker, type BrokerOptions, createBroker, ManualClock, openBroker } from '../../../src/broker.ts';
import { systemClock } from '../../../src/contract/system-clock.ts';
import { ForwardClock } from '../../../src/broker/time/forward-clock.ts';

const hourMs = 3_600_000;

let clock: ManualClock;

beforeEach(() => {
  clock = new ManualClock();
});

describe('ForwardClock', () => {
  it('is the wall clock as long as nobody sets it back', async () => {
    const forward = new ForwardClock(clock);
    expect(forward.now()).toBe(clock.now());
    await clock.advance(1.5);
    expect(forward.now()).toBe(clock.now());
    clock.suspend(7);
    clock.jump(1_000);
    expect(forward.now()).toBe(clock.now());
  });

  it('goes on while the wall clock is behind, and never ahead of it once that was set right', async () => {
    const forward = new ForwardClock(clock);
    const start = forward.now();
    clock.jump(-hourMs);
    expect(forward.now()).toBe(start);
    await clock.advance(5_000);
    expect(forward.now()).toBe(start + 5_000);
    clock.jump(hourMs);
    expect([forward.now(), clock.now()]).toEqual([start + 5_000, start + 5_000]);
  });

  it('never goes back, and no slower than the machine', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('advance', 'suspend', 'jump'), fc.integer({ min: -50, max: 50 }))),
        async (steps) => {
          const machine = new ManualClock();
          const forward = new ForwardClock(machine);
          let last = forward.now();
          for (const [how, ms] of steps) {
            if (how === 'jump') machine.jump(ms);
            else if (how === 'suspend') machine.suspend(Math.abs(ms));
            else await machine.advance(Math.abs(ms));
            const now = forward.now();
            expect(now - last).toBeGreaterThanOrEqual(how === 'advance' ? Math.abs(ms) : 0);
            expect(now).toBeGreaterThanOrEqual(machine.now());
            last = now;
          }
        },
      ),
    ));

  it('gives whole milliseconds on the machine', () => {
    const forward = new ForwardClock(systemClock);
    for (let time = 0; time < 1_000; time += 1) expect(Number.isInteger(forward.now())).toBe(true);
  });
});

describe('a broker whose wall clock is set back', () => {
  const make = (options: BrokerOptions = {}): Broker =>
    createBroker({ clock, queues: { jobs: { deadLetterQueue: 'dead' } }, ...options });
  const pull = async (broker: Broker): Promise<unknown[]> =>
    (await broker.transport('jobs').pull({ batchSize: 10, visibilityTimeoutMs: 10_000 })).messages.map(
      ({ body }) => body,
    );

  it('enables pulls as late as it would have', async () => {
    const broker = make({ pullEnabledAfterMs: 5_000 });
    broker.push('jobs', { body: 'a' });
    clock.jump(-hourMs);
    await expect(pull(broker)).rejects.toMatchObject({ code: 'pull-not-enabled' });
    await clock.advance(5_000);
    expect(await pull(broker)).toEqual(['a']);
  });

  it('shows what was visible, and ends delays, leases and retention when they end', async () => {
    const broker = make({ queues: { jobs: { retentionSeconds: 60 } } });
    broker.push('jobs', { body: 'a' });
    broker.push('jobs', { body: 'b', delaySeconds: 5 });
    clock.jump(-hourMs);
    expect(broker.inspect('jobs').counts).toMatchObject({ ready: 1, delayed: 1 });
    expect(await pull(broker)).toEqual(['a']);
    await clock.advance(5_000);
    expect(await pull(broker)).toEqual(['b']);
    await clock.advance(5_000);
    expect(await pull(broker)).toEqual(['a']);
    await clock.advance(50_000);
    expect(broker.isEmpty('jobs')).toBe(true);
  });

  it('refuses for no longer than its limits say', async () => {
    const broker = make({ messagesPerSecond: 1 });
    const transport = broker.transport('jobs');
    await transport.push({ body: 1 });
    await expect(transport.push({ body: 2 })).rejects.toMatchObject({ code: 'queue-unavailable' });
    clock.jump(-hourMs);
    await clock.advance(1_000);
    await transport.push({ body: 3 });
    expect(broker.inspect('jobs').counts.total).toBe(2);
  });

  it('shows what was visible when it is opened again meanwhile', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'leasestream-back-'));
    try {
      const settings = { clock, directory, queues: { jobs: {} }, pullEnabledAfterMs: 5_000 };
      const before = await openBroker(settings);
      await clock.advance(5_000);
      await before.transport('jobs').push({ body: 'a' });
      await before.close();
      clock.jump(-hourMs);
      await using broker = await openBroker({ ...settings, queues: {} });
      expect(await pull(broker)).toEqual(['a']);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
