import { beforeEach, describe, expect, it } from 'vitest';
import { Breaker } from '../../src/lease/breaker.ts';
import { RunningLeases } from '../../src/lease/running-leases.ts';
import { Lease, LeaseBatch } from '../../src/lease/lease.ts';
import { pulled } from './leases.ts';

let running: RunningLeases;
let breaker: Breaker;
let now: number;
let count: number;

beforeEach(() => {
  running = new RunningLeases();
  breaker = new Breaker({ failures: 100, maxProbeMs: 30_000 }, running, () => 0.5);
  now = 1_000_000;
  count = 0;
});

function start(attempts = 1, id = `m${(count += 1)}`): Lease {
  const started = new Lease(pulled(id, { attempts }), new LeaseBatch(now, 30_000));
  started.startedAt = now;
  running.add(started);
  breaker.onStarted(started, now);
  return started;
}

function end(started: Lease, how: 'succeed' | 'fail', share = 1): boolean {
  running.remove(started);
  return how === 'fail' ? breaker.fail(started, share, now) : breaker.succeed(started, now);
}

function succeed(messages: number, attempts = 1): void {
  for (let left = messages; left > 0; left -= 1) end(start(attempts), 'succeed');
}

/** Has messages fail, each so many milliseconds after the one before, until it opens. Gives how many did. */
function failUntilOpen(eachMs: number, attempts = 1, most = 10_000): number {
  for (let failures = 1; failures <= most; failures += 1) {
    now += eachMs;
    if (end(start(attempts), 'fail')) return failures;
  }
  return Infinity;
}

/** Lets what comes next in a row of messages of which a share fails for good succeed or fail. */
function mixed(messages: number, share: number, eachMs: number): number {
  let opened = 0;
  let random = 1;
  for (let left = messages; left > 0; left -= 1) {
    now += eachMs;
    random = (random * 48_271) % 2_147_483_647;
    if (end(start(), random / 2_147_483_647 < share ? 'fail' : 'succeed') && breaker.state === 'open') opened += 1;
  }
  return opened;
}

describe('Breaker', () => {
  it('opens after a hundred failures in a row, however fast', () => {
    succeed(100);
    expect(failUntilOpen(0)).toBe(100);
    expect(breaker).toMatchObject({ state: 'open', openedAt: now, failures: 100 });
  });

  it('opens after a few where nothing has succeeded for two seconds and nearly everything does', () => {
    succeed(100);
    expect(failUntilOpen(400)).toBe(7);
  });

  it('counts the time from the start of what failed first', () => {
    succeed(100);
    now += 1;
    const first = Array.from({ length: 10 }, () => start());
    now += 5_000;
    expect(first.map((each) => end(each, 'fail')).indexOf(true)).toBe(6);
  });

  it('takes twice as many where nothing is known, and more of what was delivered before', () => {
    expect(failUntilOpen(400)).toBe(9);
    breaker = new Breaker({ failures: 100, maxProbeMs: 30_000 }, running, () => 0.5);
    expect(failUntilOpen(400, 2)).toBe(29);
  });

  it('is as sensitive as it is told', () => {
    breaker = new Breaker({ failures: 20, maxProbeMs: 30_000 }, running, () => 0.5);
    succeed(100);
    expect(failUntilOpen(0)).toBe(20);
    breaker = new Breaker({ failures: 1_000, maxProbeMs: 30_000 }, running, () => 0.5);
    succeed(100);
    expect(failUntilOpen(0)).toBe(1_000);
  });

  it('takes more of them where nine in ten fail', () => {
    for (let rows = 100; rows > 0; rows -= 1) {
      expect(failUntilOpen(0, 1, 9)).toBe(Infinity);
      succeed(1);
    }
    expect(failUntilOpen(0, 1, 150)).toBe(Infinity);
    expect(failUntilOpen(0)).toBeLessThan(300);
  });

  it('takes no outage for usual', () => {
    succeed(300);
    for (let outages = 10; outages > 0; outages -= 1) {
      failUntilOpen(0);
      succeed(10);
    }
    expect(failUntilOpen(400)).toBe(7);
  });

  it('begins anew with each success', () => {
    succeed(100);
    for (let rows = 100; rows > 0; rows -= 1) {
      expect(failUntilOpen(0, 1, 99)).toBe(Infinity);
      succeed(30);
    }
    expect(breaker.state).toBe('closed');
  });

  it.each([0.05, 0.3, 0.6])(
    'stays closed where %s of the messages fail for good, but for one row in thousands',
    (share) => {
      succeed(20);
      expect(mixed(20_000, share, 1)).toBe(0);
      expect(mixed(20_000, share, 500)).toBeLessThanOrEqual(3);
    },
  );

  it('knows what failed while others succeeded, and stays closed when only that is left', () => {
    for (let number = 0; number < 50; number += 1) {
      end(start(1, `bad${number}`), 'fail');
      succeed(1);
    }
    for (const attempts of [2, 3, 4]) {
      for (let number = 0; number < 50; number += 1) {
        now += 1_000;
        expect(end(start(attempts, `bad${number}`), 'fail')).toBe(false);
      }
    }
    expect(failUntilOpen(400)).toBeLessThan(20);
  });

  it('forgets that a message is bad when it succeeds, and the oldest of too many', () => {
    const failing = (id: string): number => {
      breaker.failures = 0;
      end(start(2, id), 'fail');
      return breaker.failures;
    };
    for (let number = 0; number < 1_001; number += 1) {
      end(start(1, `bad${number}`), 'fail');
      succeed(1);
    }
    end(start(2, 'bad7'), 'succeed');
    expect([failing('bad0'), failing('bad1'), failing('bad7')]).toEqual([1, 0, 1]);
  });

  it('does not count what fails after work that was started later has succeeded', () => {
    succeed(100);
    const slow = Array.from({ length: 50 }, () => start());
    now += 10_000;
    succeed(1);
    expect(slow.map((each) => end(each, 'fail'))).not.toContain(true);
    expect(breaker.failures).toBe(0);
  });

  it('waits for what runs on, which may be what succeeds', () => {
    succeed(100);
    const slow = Array.from({ length: 151 }, () => start());
    expect(failUntilOpen(0, 1, 149)).toBe(Infinity);
    for (const each of slow) end(each, 'fail');
    expect(breaker.state).toBe('open');
  });

  it('takes what failed together for one', () => {
    succeed(100);
    const batch = (): boolean[] => Array.from({ length: 10 }, () => end(start(), 'fail', 0.1));
    now += 1;
    for (let left = 6; left > 0; left -= 1) {
      expect(batch()).not.toContain(true);
      now += 500;
    }
    expect(batch()).toContain(true);
  });

  it('lets everything through while closed, and one at a time at growing intervals while open', () => {
    expect([breaker.startable(now), breaker.startableWithin(1_000, now)]).toEqual([Infinity, Infinity]);
    failUntilOpen(400);
    const waits: number[] = [];
    for (let left = 8; left > 0; left -= 1) {
      const failedAt = now;
      expect(breaker.startable(now)).toBe(0);
      now = breaker.nextAt();
      waits.push(now - failedAt);
      expect([breaker.startable(now - 1), breaker.startable(now), breaker.startableWithin(99, now)]).toEqual([0, 1, 1]);
      const probe = start();
      expect([breaker.startable(now), probe.isProbe]).toEqual([0, true]);
      now += 50;
      end(probe, 'fail');
    }
    expect(waits).toEqual([750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500, 22_500]);
  });

  it('waits for no longer because of what was started before it opened', () => {
    const before = [start(), start()];
    failUntilOpen(400);
    const { probeAt } = breaker;
    for (const each of before) end(each, 'fail');
    expect(breaker.probeAt).toBe(probeAt);
  });

  it('probes again beside a probe that hangs', () => {
    failUntilOpen(400);
    now = breaker.nextAt();
    start();
    now += 29_999;
    expect(breaker.startable(now)).toBe(0);
    now += 1;
    expect(breaker.startable(now)).toBe(1);
  });

  it('lets one more through with each success, and all after ten', () => {
    failUntilOpen(400);
    now = breaker.nextAt();
    let closedWith = false;
    for (let successes = 1; successes <= 10; successes += 1) {
      closedWith = end(start(), 'succeed');
      if (successes < 10) expect([breaker.state, breaker.startable(now)]).toEqual(['half-open', successes + 1]);
    }
    expect([closedWith, breaker.state, breaker.startable(now)]).toEqual([true, 'closed', Infinity]);
  });

  it('counts what runs against that, but not what has run since before it opened', () => {
    start();
    failUntilOpen(400);
    now = breaker.nextAt();
    end(start(), 'succeed');
    start();
    expect(breaker.startable(now)).toBe(1);
    start();
    expect(breaker.startable(now)).toBe(0);
  });

  it('opens again when the first success was luck, and waits for longer than before', () => {
    succeed(100);
    failUntilOpen(400);
    const { openedAt } = breaker;
    for (let left = 3; left > 0; left -= 1) {
      now = breaker.nextAt();
      end(start(), 'fail');
    }
    now = breaker.nextAt();
    end(start(), 'succeed');
    expect(failUntilOpen(400, 2, 100)).toBe(Infinity);
    expect(breaker).toMatchObject({ state: 'open', openedAt });
    expect(breaker.probeAt - now).toBeGreaterThan(10_000);
  });

  it('begins with short waits again once it was closed', () => {
    failUntilOpen(400);
    for (let left = 5; left > 0; left -= 1) {
      now = breaker.nextAt();
      end(start(), 'fail');
    }
    succeed(10);
    failUntilOpen(400);
    expect(breaker.probeAt - now).toBe(750);
  });
});
