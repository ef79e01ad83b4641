import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createBroker, ManualClock } from '../../src/broker.ts';
import { openQueue, type Queue } from '../../src/index.ts';
import type { Fetch } from '../../src/transports/cloudflare/fetch.ts';

let warn = vi.fn<typeof console.warn>();

beforeEach(() => {
  warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});

afterEach(() => warn.mockRestore());

type Answers = (call: number) => 'fail' | 'hang' | 'pass';

function open(answer: Answers, random: () => number = Math.random): { clock: ManualClock; queue: Queue } {
  const clock = new ManualClock();
  const broker = createBroker({ clock, queues: { jobs: {} } });
  let calls = 0;
  const fetch: Fetch = (url, init) => {
    const what = answer((calls += 1));
    if (what === 'pass') return broker.fetch(url, init);
    return what === 'hang' ? new Promise(() => undefined) : Promise.reject(new TypeError('Failed to fetch'));
  };
  return { clock, queue: openQueue({ ...broker.queue('jobs'), clock, fetch, random }) };
}

describe('a consumer whose first pulls are all in vain', () => {
  it.each(['fail', 'hang'] as const)('warns once, after some seconds, where nobody listens: they %s', async (what) => {
    const { clock, queue } = open(() => what);
    const processors = [queue.process(() => 1), queue.process(() => 1)];
    await clock.advance(4_900);
    expect(warn).not.toHaveBeenCalled();
    await clock.advance(600_000);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[0]).toMatch(/no pull has been answered since the first, \d+ s ago/);
    if (what === 'fail') expect(warn.mock.calls[0]?.[0]).toMatch(/Cannot pull: .*: Failed to fetch/);
    for (const processor of processors) void processor.close({ graceMs: 0 });
    await clock.runUntil(Promise.all(processors));
  });

  it.each([
    ['are short', () => 0],
    ['are long', () => 0.999],
    // The sixth pull fails just before five seconds are over, and the seventh comes as late as it may.
    ['grow at the worst time', (call: number) => (call < 6 ? 0.29 : 0.999)],
  ] as const)('warns within thirteen seconds, where the pauses %s', async (_, draw) => {
    let calls = 0;
    const { clock, queue } = open(
      (call) => {
        calls = call;
        return 'fail';
      },
      () => draw(calls),
    );
    const processor = queue.process(() => 1);
    await clock.advance(4_900);
    expect(warn).not.toHaveBeenCalled();
    await clock.advance(8_100);
    expect(warn).toHaveBeenCalledTimes(1);
    await clock.runUntil(processor.close());
  });

  it('leaves it to `onEvent`', async () => {
    const { clock, queue } = open(() => 'fail');
    const processor = queue.process(() => 1, { onEvent: () => undefined });
    await clock.advance(600_000);
    expect(warn).not.toHaveBeenCalled();
    await clock.runUntil(processor.close());
  });

  it.each([
    ['the third is answered', (call: number) => (call > 2 ? 'pass' : 'fail')],
    ['only later ones fail', (call: number) => (call === 1 ? 'pass' : 'fail')],
  ] as const)('says nothing where %s', async (_, answer) => {
    const { clock, queue } = open(answer);
    const processor = queue.process(() => 1);
    await clock.advance(600_000);
    expect(warn).not.toHaveBeenCalled();
    await clock.runUntil(processor.close());
  });
});
