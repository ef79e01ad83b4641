/** A program for every compiler, whatever it knows of the platform: what it says of a type, it would not say of `any`. */
export const anywhere = `
import { openQueue, QueueError } from 'leasestream';
import type { ConsumerSummary, LeasedMessage, MessageBatch, QueueTransport, Settlement } from 'leasestream';
import { createBroker } from 'leasestream/broker';
import { createCloudflareTransport } from 'leasestream/cloudflare';
import { settleMap } from 'leasestream/rxjs';
import { toReadableStream, toWritableStream } from 'leasestream/web';

const known = <T,>(value: 0 extends 1 & T ? never : T): T => value;

const broker = createBroker({ queues: { jobs: {} } });
const queue = openQueue<{ id: string }>(broker.queue('jobs'));
const transport: QueueTransport = known(createCloudflareTransport({ queueId: 'jobs' }));
const other = openQueue<string>({ transport });

export async function use(): Promise<void> {
  for await (const message of queue) {
    const leased: LeasedMessage<{ id: string }> = known(message);
    known(leased.body.id).toUpperCase();
    // @ts-expect-error There is no such thing.
    void leased.body.missing;
    const settlement: Settlement = known(await leased.ack());
    known(settlement.outcome);
  }
  for await (const given of queue.batches({ size: 2 })) {
    const batch: MessageBatch<{ id: string }> = known(given);
    known(batch.messages[0]?.body.id);
  }
  const result = known(await queue[Symbol.asyncIterator]().next());
  if (result.done !== true) known(result.value.body.id);
  for await (const { body } of queue.consume()[Symbol.asyncIterator]()) known(body.id);
  const summary: ConsumerSummary = known(await queue.consume().close());
  known(summary.acked);
  await queue.process((message, signal) => void [known(message.body.id), known(signal.aborted)]);
  await other.send('x');
  known(settleMap<string, number>(async ({ body }) => body.length));
  const source = known(toReadableStream(queue));
  const sink = known(toWritableStream(other));
  known(source.locked || sink.locked);
  try {
    await queue.metrics();
  } catch (error) {
    if (error instanceof QueueError && error.code === 'network') known(error.status);
  }
}
`;

/** One for those that know of disposal. */
export const disposing = `
import { openQueue } from 'leasestream';
import { createBroker } from 'leasestream/broker';

export async function use(): Promise<void> {
  await using server = await createBroker().listen();
  await using consumer = openQueue<string>(server.queue('jobs')).consume();
  for await (const { body } of consumer) body.toUpperCase();
}
`;

/** One for those that know Node. */
export const onNode = `
import { openQueue } from 'leasestream';
import { toReadable, toWritable } from 'leasestream/node';

export async function use(): Promise<void> {
  const queue = openQueue<string>({ queueId: 'jobs' });
  for await (const { body } of toReadable(queue)) body.toUpperCase();
  toWritable(queue).write('x');
}
`;
