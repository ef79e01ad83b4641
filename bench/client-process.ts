// One contender in a process of its own: does its assignment, and sends its parent what it measured.
import { contenders, handlerOf } from './contenders.ts';
import type { Assignment, Measured } from './scenario.ts';
import { wireContenders } from './wire-contenders.ts';
import { writers } from './writers.ts';

/** What is left out of the measurement while code is compiled and connections are made, as a share of the time. */
const warmUpShare = 0.5;

const contendersFor = { drain: contenders, fill: writers, wire: wireContenders };

process.on('message', (assignment: Assignment) => {
  void run(assignment).then((measured) => {
    process.send?.(measured);
    process.disconnect();
  });
});

async function run(assignment: Assignment): Promise<Measured> {
  const contender = contendersFor[assignment.task][assignment.contender];
  if (contender === undefined) throw new RangeError(`There is no contender '${assignment.contender}'`);
  const { durationMs, handlerMs } = assignment;
  const end = new AbortController();
  let handled = 0;
  let requests = 0;
  const counting: typeof fetch = (...request) => {
    requests += 1;
    return fetch(...request);
  };
  const snapshot = (): Measured => {
    const { user, system } = process.cpuUsage();
    return { handled, requests, elapsedMs: performance.now(), cpuMs: (user + system) / 1_000 };
  };
  let from = snapshot();
  let to = from;
  setTimeout(() => {
    from = snapshot();
  }, durationMs * warmUpShare);
  setTimeout(() => {
    to = snapshot();
    end.abort();
  }, durationMs);
  const handle = handlerOf(handlerMs, () => {
    handled += 1;
  });
  await contender({ ...assignment, handle, signal: end.signal, fetch: counting });
  return {
    handled: to.handled - from.handled,
    requests: to.requests - from.requests,
    elapsedMs: to.elapsedMs - from.elapsedMs,
    cpuMs: to.cpuMs - from.cpuMs,
  };
}
