// The tests that each runner makes under its fake timers, with their defaults. LIBRARY and BROKER are the addresses of the
// built modules, FAKED is what the documentation says that the runner fakes.

const { LIBRARY, BROKER, FAKED } = process.env;

const names = ['setTimeout', 'setImmediate', 'Date', 'queueMicrotask'];
const real = { ...Object.fromEntries(names.map((name) => [name, globalThis[name]])), now: performance.now };

/** Which of what the library takes has another in its place now. */
function faked() {
  const replaced = names.filter((name) => real[name] !== globalThis[name]);
  return (real.now === performance.now ? replaced : [...replaced, 'performance.now']).join(', ');
}

async function load() {
  return { ...(await import(/* @vite-ignore */ BROKER)), ...(await import(/* @vite-ignore */ LIBRARY)) };
}

/** Works off two messages by a manual clock, one of which takes a minute of it. */
async function workOff({ createBroker, ManualClock, openQueue }) {
  const clock = new ManualClock();
  const broker = createBroker({ clock, queues: { jobs: {} } });
  broker.push('jobs', { body: 0 });
  broker.push('jobs', { body: 60_000 });
  const queue = openQueue({ transport: broker.transport('jobs'), clock });
  const wait = (ms) => new Promise((resolve) => clock.setTimer(resolve, ms));
  const done = queue.process(({ body }) => wait(body), { visibilityTimeoutMs: 120_000, stopWhenEmpty: true });
  return (await clock.runUntil(done)).acked;
}

/** Reads by the system's clock, and moves that as the runner does: what had come before, and what was acknowledged after. */
async function readBySystemClock({ createBroker, openQueue }, advance) {
  const broker = createBroker({ queues: { jobs: {} } });
  broker.push('jobs', { body: 'x' });
  const queue = openQueue({ transport: broker.transport('jobs') });
  let before = 0;
  const reading = queue.process(() => void (before += 1), { stopWhenEmpty: { forMs: 20_000 } });
  // As long as it would take by the real clock, many times over.
  await new Promise((resolve) => real.setTimeout(resolve, 200));
  const seen = before;
  await advance(60_000, real);
  return `${seen}, ${(await reading).acked}`;
}

/** Makes the tests. */
export function defineTests({ it, equal, fake, restore, advance }) {
  const underFakes = (test) => async () => {
    fake();
    try {
      await test();
    } finally {
      restore();
    }
  };
  it(
    'fakes what the table says',
    underFakes(() => equal(faked(), FAKED)),
  );
  it(
    'leaves a manual clock to go on that is loaded afterwards',
    underFakes(async () => equal(await workOff(await load()), 2)),
  );
  it(
    'leaves one to go on that was loaded before',
    underFakes(async () => equal(await workOff(await load()), 2)),
  );
  it(
    'moves the real client',
    underFakes(async () => equal(await readBySystemClock(await load(), advance), '0, 1')),
  );
}
