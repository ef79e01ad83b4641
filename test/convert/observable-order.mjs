// Reads a queue with rxjs, which this process has loaded, as the queue and a polyfill of Symbol.observable, in the order
// that is asked for, and prints what became of the messages as JSON.
// Started with JSON: the paths `library`, `broker` and `surfaces`, `packages` to require polyfills from, the `order` of the
// steps, which `polyfill`, which `rxjs`, and which `source`.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const asked = JSON.parse(process.argv[2]);
const load = (path) => import(pathToFileURL(path).href);
const require = createRequire(import.meta.url);
const requireThere = createRequire(asked.packages);
const { createBroker, ManualClock } = await load(asked.broker);

const clock = new ManualClock();
const ended = new Map();
let acked = 0;
let early = 0;
const broker = createBroker({
  clock,
  queues: { jobs: { maxRetries: 100 } },
  onJournal: (entry) => {
    if (entry.type !== 'acked') return;
    acked += 1;
    if (ended.get(entry.messageId) !== 'done') early += 1;
  },
});
for (let body = 0; body < 12; body += 1) broker.push('jobs', { body });

let queue;
let rxjs;
let surfaces;
const polyfills = {
  none: () => undefined,
  symbol: () => void (Symbol.observable = Symbol('observable')),
  'core-js': () => requireThere('core-js/features/observable'),
  'symbol-observable': () => requireThere('symbol-observable'),
  xstream: () => requireThere('xstream'),
  apollo: () => requireThere('@apollo/client/core'),
  string: () => void (Symbol.observable = '@@observable'),
};
const steps = {
  handle: async () => {
    const { openQueue } = await load(asked.library);
    const handle = openQueue({ ...broker.queue('jobs'), clock });
    queue = { queue: handle, consumer: handle.consume(), batches: handle.batches() }[asked.source];
  },
  polyfill: async () => {
    polyfills[asked.polyfill]();
    if ((Symbol.observable === undefined) !== (asked.polyfill === 'none')) throw new Error('No polyfill');
  },
  rxjs: async () => {
    rxjs = require(asked.rxjs);
    if (asked.rxjs === 'rxjs') surfaces = await load(asked.surfaces);
  },
};
for (const step of asked.order) await steps[step]();

const { filter, from, mergeMap, take } = { ...require(`${asked.rxjs}/operators`), ...rxjs };

/** Every other work fails, the first time. */
async function work(item) {
  const messages = item.messages ?? [item];
  await new Promise((resolve) => clock.setTimer(resolve, 50));
  for (const { id, body } of messages) {
    if (body % 2 === 0 && !ended.has(id)) {
      ended.set(id, 'failed');
      throw new Error('This work fails');
    }
    ended.set(id, 'done');
  }
  return 'done';
}

async function settling(item) {
  const all = item.messages ?? [item];
  try {
    const result = await work(item);
    for (const message of all) message.ack();
    return result;
  } catch {
    for (const message of all) message.retry({ delaySeconds: 1 });
    return 'failed';
  }
}

const works = asked.rxjs === 'rxjs' && asked.source !== 'batches' ? surfaces.settleMap(work) : mergeMap(settling);
const complete = new Promise((resolve, reject) => {
  const results = from(queue).pipe(
    works,
    filter((result) => result === 'done'),
    take(asked.source === 'batches' ? 1 : 3),
  );
  results.subscribe({ error: reject, complete: resolve });
});
await clock.runUntil(complete);
await clock.advance(120_000);
console.log(JSON.stringify({ early, hasAcked: acked > 0, isPulling: clock.pendingTimers > 0 }));
