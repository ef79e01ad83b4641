// What every runtime is made to do, against a broker on a socket: one function a row of docs/runtimes.md. Each has a queue of
// its own. Gives what went wrong, by name; nothing where all went well.
import { forward, openQueue } from 'leasestream';
import { createBroker } from 'leasestream/broker';
import { settleMap, toObservable } from 'leasestream/rxjs';
import { toReadableStream, toWritableStream } from 'leasestream/web';

const end = { stopWhenEmpty: true, visibilityTimeoutMs: 10_000 };
const numbers = Array.from({ length: 500 }, (_, nth) => nth);

function expectAll(seen, expected = numbers) {
  const sorted = seen.toSorted((a, b) => a - b);
  if (JSON.stringify(sorted) !== JSON.stringify(expected))
    throw new Error(`got ${sorted.length}, of ${expected.length}`);
}

async function fill(queue, bodies = numbers) {
  await queue.sendBatch(bodies.map((body) => ({ body })));
}

export const checks = {
  'push 500': async (queue) => {
    const [some, others] = [numbers.slice(0, 30), numbers.slice(30)];
    await Promise.all([...some.map((body) => queue.send(body)), fill(queue, others)]);
    const { backlogCount } = await queue.metrics();
    if (backlogCount !== 500) throw new Error(`the backlog is ${backlogCount}`);
  },
  '`for await`': async (queue) => {
    await fill(queue);
    const seen = [];
    for await (const { body } of queue.consume(end)) seen.push(body);
    expectAll(seen);
  },
  '`process`': async (queue) => {
    await fill(queue);
    const seen = [];
    const { acked } = await queue.process(({ body }) => void seen.push(body), { ...end, concurrency: 50 });
    expectAll(seen);
    if (acked !== 500) throw new Error(`acknowledged ${acked}`);
  },
  'a handler that fails': async (queue) => {
    await fill(queue, [1, 2, 3]);
    const seen = [];
    const handle = ({ body, attempts }) => {
      if (body === 2 && attempts === 1) throw new Error('no');
      seen.push(body);
    };
    const { retried } = await queue.process(handle, { ...end, retryDelaySeconds: 0 });
    expectAll(seen, [1, 2, 3]);
    if (retried !== 1) throw new Error(`retried ${retried}`);
  },
  '`close()`': async (queue) => {
    await fill(queue);
    const consumer = queue.consume({ visibilityTimeoutMs: 10_000 });
    for await (const message of consumer) {
      await message.ack();
      await consumer.close();
    }
    const { acked, inFlight, buffered, reason } = await consumer.closed;
    const state = JSON.stringify({ acked, inFlight, buffered, reason });
    if (state !== '{"acked":1,"inFlight":0,"buffered":0,"reason":"closed"}') throw new Error(state);
  },
  'web streams': async (queue, other) => {
    await fill(queue);
    const double = new TransformStream({
      transform: (message, controller) => controller.enqueue(forward(message, [message.body * 2])),
    });
    await toReadableStream(queue, end).pipeThrough(double).pipeTo(toWritableStream(other));
    const seen = [];
    await other.process(({ body }) => void seen.push(body / 2), end);
    expectAll(seen);
  },
  '`settleMap`': async (queue) => {
    await fill(queue);
    const seen = [];
    const work = settleMap(async ({ body }) => body, { concurrency: 20 });
    await new Promise((resolve, reject) => {
      const observer = { next: (body) => seen.push(body), complete: resolve, error: reject };
      toObservable(queue, end).pipe(work).subscribe(observer);
    });
    expectAll(seen);
  },
  'the embedded broker': async () => {
    const queue = openQueue(createBroker().queue('jobs'));
    await fill(queue);
    const seen = [];
    await queue.process(({ body }) => void seen.push(body), end);
    expectAll(seen);
  },
};

/** @param connections - how to reach the queues, two for each check, in that order */
async function run(connections) {
  const wrong = {};
  for (const [nth, [name, check]] of Object.entries(checks).entries()) {
    try {
      await check(openQueue(connections[2 * nth]), openQueue(connections[2 * nth + 1]));
    } catch (error) {
      wrong[name] = error.stack;
    }
  }
  return wrong;
}

/** What becomes of the first pull and of a push at each address: the code of each error, or that none came in time. */
async function refusals(addresses, forMs) {
  const codes = {};
  const entries = Object.entries(addresses).map(async ([name, connection]) => {
    const queue = openQueue(connection);
    const processor = queue.process(() => undefined, { onEvent: () => undefined });
    const late = new Promise((resolve) => setTimeout(() => resolve('again'), forMs));
    const told = (async () => {
      try {
        await processor;
        return 'nothing';
      } catch (error) {
        return error.code;
      }
    })();
    codes[name] = await Promise.race([told, late]);
    if (codes[name] === 'again') codes[name] = `${processor.stats.lastError.code}, again`;
    void processor.close({ graceMs: 0 });
  });
  await Promise.all(entries);
  return codes;
}

/** Sends one message after the other, and gives how many requests the library made for it. */
async function sendEach(connection, count) {
  let made = 0;
  const queue = openQueue({ ...connection, http: { onRequest: () => void (made += 1) } });
  for (let body = 0; body < count; body += 1) await queue.send(body);
  return { made: String(made) };
}

/** Does what a test tells. */
export function perform({ connections, addresses, forMs, sends }) {
  if (connections !== undefined) return run(connections);
  return addresses === undefined ? sendEach(sends.connection, sends.count) : refusals(addresses, forMs);
}
