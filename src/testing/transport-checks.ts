import { encodeBody } from '../contract/body.ts';
import type { PulledMessage } from '../contract/message.ts';
import type { AckRequest, QueueTransport } from '../contract/transport.ts';
import { expectSame, expectThat, rejectionOf } from './expect.ts';

/** What a check is given: a transport to an empty queue, and a way to let time pass. */
export interface Bench {
  readonly transport: QueueTransport;
  readonly pass: (ms: number) => Promise<void>;
}

type Check = (bench: Bench) => Promise<void>;

/** A lease that is over soon, in milliseconds, and a time after which it is over for certain. */
const lease = { timeoutMs: 1_000, overMs: 1_500 };

/** Longer than any check takes, in milliseconds. */
const longMs = 60_000;

async function pull(transport: QueueTransport, timeoutMs = longMs, batchSize = 10): Promise<readonly PulledMessage[]> {
  const { messages } = await transport.pull({ batchSize, visibilityTimeoutMs: timeoutMs });
  return messages;
}

async function pullOne(transport: QueueTransport, timeoutMs = longMs): Promise<PulledMessage> {
  const [message, ...others] = await pull(transport, timeoutMs);
  if (message === undefined) throw new Error('A pull must bring the message that is there, and brings none');
  expectSame('How many others a pull brings', others.length, 0);
  return message;
}

const bodiesOf = (messages: readonly PulledMessage[]): string[] => messages.map(({ body }) => String(body)).toSorted();

const settling = (settled: Partial<AckRequest>): AckRequest => ({ acks: [], retries: [], ...settled });

async function leasesEnd({ transport, pass }: Bench): Promise<void> {
  await transport.push({ body: 'one' });
  const first = await pullOne(transport, lease.timeoutMs);
  await pass(lease.overMs);
  const second = await pullOne(transport);
  expectSame('The id of a message that comes again', second.id, first.id);
  expectSame('Its timestamp', second.timestampMs, first.timestampMs);
  expectSame('Its body', second.body, first.body);
  expectSame('Its attempts', [first.attempts, second.attempts], [1, 2]);
  expectThat(first.leaseId !== second.leaseId, 'A message that comes again must have another lease id');
}

async function lateAcksAreTold({ transport, pass }: Bench): Promise<void> {
  await transport.push({ body: 'one' });
  const { leaseId } = await pullOne(transport, lease.timeoutMs);
  await pass(lease.overMs);
  await pullOne(transport, lease.timeoutMs);
  const { warnings, ackCount } = await transport.ack(settling({ acks: [leaseId] }));
  const isTaken = !warnings.has(leaseId) && ackCount !== 0;
  await pass(lease.overMs);
  const left = await pull(transport);
  expectSame(
    isTaken ? 'What is left after a late acknowledgement without a warning' : 'What is left after one with a warning',
    bodiesOf(left),
    isTaken ? [] : ['one'],
  );
}

async function retriesComeAgain({ transport, pass }: Bench): Promise<void> {
  await transport.bulkPush({ messages: [{ body: 'soon' }, { body: 'late' }, { body: 'done' }] });
  const leaseOf = new Map((await pull(transport)).map(({ body, leaseId }) => [body, leaseId]));
  const of = (body: string): string => leaseOf.get(body) ?? '';
  await transport.ack({
    acks: [of('done')],
    retries: [
      { leaseId: of('soon'), delaySeconds: 0 },
      { leaseId: of('late'), delaySeconds: 2 },
    ],
  });
  const soon = await pullOne(transport);
  expectSame('What comes at once', [soon.body, soon.attempts], ['soon', 2]);
  await pass(2_500);
  const late = await pullOne(transport);
  expectSame('What comes after its delay', [late.body, late.attempts], ['late', 2]);
}

async function unknownLeasesAreTold({ transport }: Bench): Promise<void> {
  await transport.push({ body: 'one' });
  const { leaseId } = await pullOne(transport);
  const request = settling({ acks: [leaseId, 'nobody-knows-it'] });
  const { warnings, ackCount } = await transport.ack(request);
  expectThat(
    warnings.has('nobody-knows-it') || ackCount === 1,
    "A lease that is not known must be told: by a warning under its id, or by an 'ackCount' without it",
  );
  expectThat(!warnings.has(leaseId), 'A lease that was acknowledged must have no warning');
}

async function delaysAreKept({ transport, pass }: Bench): Promise<void> {
  await transport.push({ body: 'by itself', delaySeconds: 2 });
  await transport.bulkPush({ messages: [{ body: 'by batch' }, { body: 'now', delaySeconds: 0 }], delaySeconds: 2 });
  expectSame('What is there before the delay', bodiesOf(await pull(transport)), ['now']);
  await pass(2_500);
  expectSame('What is there after it', bodiesOf(await pull(transport)), ['by batch', 'by itself']);
}

async function bodiesAreKept({ transport }: Bench): Promise<void> {
  const bodies: readonly unknown[] = ['text é', '', 0, false, null, { a: [1, null, 'é'] }];
  for (const [index, body] of [...bodies, ...bodies].entries()) {
    // What queues push has been encoded before.
    await transport.push({ body: index < bodies.length ? body : encodeBody(body) });
    const { body: pulled, contentType, bodyError, bodyLength, leaseId } = await pullOne(transport);
    expectSame('A body', pulled, body);
    expectSame('Its content type', contentType, typeof body === 'string' ? 'text' : 'json');
    expectThat(bodyError === undefined, "'bodyError' must be left out where the body could be decoded");
    expectThat(bodyLength >= 0, "'bodyLength' must be a number of 0 or more");
    await transport.ack(settling({ acks: [leaseId] }));
  }
}

async function peeksLeaseNothing({ transport }: Bench): Promise<void> {
  await transport.bulkPush({ messages: [{ body: 'one' }, { body: 'two' }] });
  const peeked = await transport.peek({ batchSize: 10 });
  expectSame('How many are peeked', peeked.messages.length, 2);
  const { ref, body } = peeked.messages[0] ?? { ref: '', body: undefined };
  await transport.purge({ refs: [ref] });
  const left = await pullOne(transport);
  expectThat(left.body !== body, 'What was purged by its ref must not be there any more');
}

const calls: readonly (readonly [
  name: string,
  call: (transport: QueueTransport, options: object) => Promise<unknown>,
])[] = [
  ['push', (transport, options) => transport.push({ body: 1 }, options)],
  ['bulkPush', (transport, options) => transport.bulkPush({ messages: [{ body: 1 }] }, options)],
  ['pull', (transport, options) => transport.pull({}, options)],
  ['ack', (transport, options) => transport.ack(settling({ acks: ['x'] }), options)],
  ['peek', (transport, options) => transport.peek({}, options)],
  ['purge', (transport, options) => transport.purge({ refs: ['x'] }, options)],
  ['metrics', (transport, options) => transport.metrics(options)],
];

async function abortsAreHeeded({ transport }: Bench): Promise<void> {
  for (const [name, call] of calls) {
    const reason = new Error('It is no longer wanted');
    const given = await rejectionOf(
      `${name}() with an aborted signal`,
      call(transport, { signal: AbortSignal.abort(reason) }),
    );
    expectThat(
      given === reason,
      `${name}() must reject with the reason of its signal, and rejects with ${String(given)}`,
    );
  }
  expectSame('How many messages aborted calls have pushed', (await pull(transport)).length, 0);
}

/** What the engine and the surfaces rely on, each by its name. */
export const transportChecks: Readonly<Record<string, Check>> = {
  'brings nothing from an empty queue': async ({ transport }) => expectSame('A pull', await pull(transport), []),
  'brings each body as it was pushed, and its content type': bodiesAreKept,
  'brings each message of a bulk push once': async ({ transport }) => {
    await transport.bulkPush({ messages: Array.from({ length: 5 }, (_, n) => ({ body: `m${n}` })) });
    expectSame('The bodies', bodiesOf(await pull(transport)), ['m0', 'm1', 'm2', 'm3', 'm4']);
  },
  'brings no more than are asked for': async ({ transport }) => {
    await transport.bulkPush({ messages: [{ body: 1 }, { body: 2 }, { body: 3 }] });
    expectSame('How many of three a pull of two brings', (await pull(transport, longMs, 2)).length, 2);
    expectSame('How many the next one brings', (await pull(transport)).length, 1);
  },
  'brings a message to nobody else while it is leased': async ({ transport }) => {
    await transport.push({ body: 'one' });
    await pullOne(transport);
    expectSame('What another pull brings', await pull(transport), []);
  },
  'brings a message again when its lease has ended': leasesEnd,
  'takes an acknowledgement that comes late, or tells that it does not': lateAcksAreTold,
  'brings an acknowledged message no more': async ({ transport, pass }) => {
    await transport.push({ body: 'one' });
    const { leaseId } = await pullOne(transport, lease.timeoutMs);
    await transport.ack(settling({ acks: [leaseId] }));
    await pass(lease.overMs);
    expectSame('What a pull brings', await pull(transport), []);
  },
  'brings a retried message again after its delay, and each of one call is settled for itself': retriesComeAgain,
  'tells of leases that it does not know': unknownLeasesAreTold,
  'keeps the delays of what is pushed': delaysAreKept,
  'peeks without a lease, and purges what was peeked': peeksLeaseNothing,
  'counts its backlog': async ({ transport }) => {
    expectSame('The backlog of an empty queue', (await transport.metrics()).backlogCount, 0);
    await transport.bulkPush({ messages: [{ body: 1 }, { body: 2 }] });
    expectSame('The backlog of two messages', (await transport.metrics()).backlogCount, 2);
  },
  'refuses a body that has no form': async ({ transport }) => {
    const given = await rejectionOf('A push of undefined', transport.push({ body: undefined }));
    expectThat(
      given instanceof TypeError,
      `A push of undefined must reject with a TypeError, and does with ${String(given)}`,
    );
  },
  'ends with the reason of an aborted signal, and does nothing': abortsAreHeeded,
};
