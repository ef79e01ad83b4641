import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/broker.ts';
import { SteadyTime } from '../../src/consumer/steady-time.ts';
import { Turns } from '../../src/consumer/turns.ts';

function open() {
  const clock = new ManualClock();
  const time = new SteadyTime(clock);
  const takenAt: number[] = [];
  const startedAt = time.now();
  const turns = new Turns(clock, time, () => takenAt.push(time.now() - startedAt));
  return { clock, time, turns, takenAt, startedAt };
}

describe('Turns', () => {
  it('takes one turn however often it is asked for', async () => {
    const { clock, turns, takenAt } = open();
    turns.soon();
    turns.soon();
    await clock.advance(10);
    expect(takenAt).toEqual([0]);
  });

  it('takes the next turn at the time last asked for', async () => {
    const { clock, turns, takenAt, startedAt } = open();
    turns.at(startedAt + 50, true);
    turns.at(startedAt + 20, true);
    await clock.advance(100);
    expect(takenAt).toEqual([20]);
    turns.at(startedAt + 130, true);
    turns.at(Infinity, true);
    await clock.advance(100);
    expect(takenAt).toEqual([20]);
  });

  it.each(['suspend', 'jump'] as const)('is not late by a %s when asked for the same time again', async (what) => {
    const { clock, time, turns, takenAt, startedAt } = open();
    turns.at(startedAt + 1_000, true);
    clock[what](600);
    time.now();
    turns.at(startedAt + 1_000, true);
    await clock.advance(399);
    expect(takenAt).toEqual([]);
    await clock.advance(1);
    expect(takenAt).toEqual([1_000]);
  });

  it('takes no turn after it was cancelled', async () => {
    const { clock, turns, takenAt, startedAt } = open();
    turns.soon();
    turns.at(startedAt + 10, true);
    turns.cancel();
    await clock.advance(100);
    expect(takenAt).toEqual([]);
  });
});
