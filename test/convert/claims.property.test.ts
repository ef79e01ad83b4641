import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConsumerEvent } from '../../src/consumer/events.ts';
import type { EncodedBody } from '../../src/contract/body.ts';
import { forward, type Forward, type LeasedMessage } from '../../src/index.ts';
import type { SinkOptions } from '../../src/node.ts';
import type { SinkUnderTest, Writer } from '../contract-suites/sink.ts';
import { type ClaimsPlan, claimsPlans, type OutputKind } from './claims-plan.ts';
import { nodeSink, webSink } from './sinks.ts';
import { openTwoQueues, type TwoQueues } from './two-queues.ts';

/** So long that nothing ends with it. */
const visibilityTimeoutMs = 3_600_000;

/** So late that it does not happen, in milliseconds. */
const never = 1_000_000_000;

/** How soon a consumer has closed that waits for nothing but its settle calls, in milliseconds. */
const soonMs = 3_000;

/** A consumer whose messages are all in hand. */
interface Source {
  readonly messages: readonly LeasedMessage[];
  readonly close: (graceMs?: number) => Promise<unknown>;
}

async function readByHand(queues: TwoQueues, count: number, onEvent: (event: ConsumerEvent) => void): Promise<Source> {
  const options = { settle: 'manual', minInFlight: Math.max(1, count), visibilityTimeoutMs, onEvent } as const;
  const consumer = queues.jobs.consume(options);
  const iterator = consumer[Symbol.asyncIterator]();
  const messages: LeasedMessage[] = [];
  while (messages.length < count) messages.push((await queues.run(iterator.next())).value!);
  return { messages, close: (graceMs) => consumer.close(graceMs === undefined ? {} : { graceMs }) };
}

/** Handlers that have ended, so that their messages would be acknowledged, were they not forwarded. */
async function readInHandlers(
  queues: TwoQueues,
  count: number,
  { onEvent, isWritten }: { readonly onEvent: (event: ConsumerEvent) => void; readonly isWritten: Promise<void> },
): Promise<Source> {
  const messages: LeasedMessage[] = [];
  const controller = new AbortController();
  const handle = async (message: LeasedMessage): Promise<void> => {
    messages.push(message);
    await isWritten;
  };
  const concurrency = Math.max(1, count);
  const options = { concurrency, visibilityTimeoutMs, onEvent, signal: controller.signal };
  const ended = queues.jobs.process(handle, options);
  for (let ms = 0; messages.length < count && ms < 10_000; ms += 100) await queues.clock.advance(100);
  const close = (): Promise<unknown> => {
    controller.abort();
    return ended;
  };
  return { messages, close };
}

interface Rejection {
  readonly item: unknown;
  readonly error: unknown;
}

function optionsOf(plan: ClaimsPlan, queues: TwoQueues, rejections: Rejection[]): SinkOptions {
  const { ordered, lingerMs, taking: answers } = plan;
  if (answers === undefined) return { ordered, lingerMs };
  const onRejected = async (item: unknown, error: unknown): Promise<void> => {
    const answer = answers[rejections.length % answers.length];
    rejections.push({ item, error });
    const messages = (item as Forward).messages as readonly LeasedMessage[];
    const nothing: unknown = undefined;
    if (answer === 'throws') throw new Error('no place for it');
    if (answer === 'throws nothing') throw nothing;
    if (answer === 'never answers') await new Promise(() => undefined);
    if (answer === 'takes its time') await queues.wait(50);
    if (answer === 'acks') for (const message of messages) void message.ack();
    // Refused, so that the messages are retried.
    if (answer === 'dead-letters') await Promise.all(messages.map((message) => message.deadLetter(queues.jobs)));
  };
  return { ordered, lingerMs, onRejected };
}

/** What one output holds, so that it can be found in the pushes. */
function outputOf(kind: OutputKind, name: string): unknown {
  if (kind === 'unencodable') return { name, value: 1n };
  return { name, refused: kind === 'refused', padding: 'x'.repeat(kind === 'long' ? 110_000 : 0) };
}

interface Written {
  readonly item: Forward;
  readonly messages: readonly LeasedMessage[];
  readonly names: readonly string[];
}

class ClaimsRun {
  readonly queues: TwoQueues = openTwoQueues();
  readonly rejections: Rejection[] = [];
  readonly told: Array<{ readonly id: string; readonly error: unknown }> = [];
  readonly written: Written[] = [];
  readonly #plan: ClaimsPlan;
  #source: Source | undefined;
  #hasSourceClosed = false;

  constructor(plan: ClaimsPlan) {
    this.#plan = plan;
  }

  async run(sink: SinkUnderTest): Promise<void> {
    const { queues } = this;
    queues.outCalls.faults = (method, nth) => (method === 'push' ? this.#plan.faults[nth] : undefined);
    queues.outCalls.refuses = ({ body }) => (body as EncodedBody).text.includes('"refused":true');
    queues.jobsCalls.refuses = () => true;
    let tellWritten = (): void => undefined;
    const isWritten = new Promise<void>((resolve) => {
      tellWritten = resolve;
    });
    this.#source = await this.#read(isWritten);
    const writer = sink.open(queues.out, optionsOf(this.#plan, queues, this.rejections));
    const ended = this.#write(writer).finally(tellWritten);
    await this.#endSink(writer, ended);
    await this.#closeSource();
  }

  #read(isWritten: Promise<void>): Promise<Source> {
    const { groups, reading } = this.#plan;
    const count = groups.reduce((sum, { messages }) => sum + messages, 0);
    this.queues.fill(count);
    const onEvent = (event: ConsumerEvent): void => {
      if (event.type === 'handlerFailed') this.told.push({ id: event.message.id, error: event.error });
    };
    return reading === 'by hand'
      ? readByHand(this.queues, count, onEvent)
      : readInHandlers(this.queues, count, { onEvent, isWritten });
  }

  async #write(writer: Writer): Promise<void> {
    const left = [...(this.#source?.messages ?? [])];
    for (const [index, plan] of this.#plan.groups.entries()) {
      if (plan.pauseMs > 0) await this.queues.wait(plan.pauseMs);
      const messages = left.splice(0, plan.messages);
      const names = plan.outputs.map((_, nth) => `${index}.${nth};`);
      const item = forward(
        messages,
        plan.outputs.map((kind, nth) => outputOf(kind, names[nth]!)),
      );
      this.written.push({ item, messages, names });
      void writer.write(item).catch(() => undefined);
    }
    for (const index of this.#plan.again) {
      const item = this.written[index]?.item;
      if (item !== undefined && item.messages.length > 0) void writer.write(item).catch(() => undefined);
    }
    if (this.#plan.brokenOffAt === Infinity) await writer.close().catch(() => undefined);
  }

  /** Has the sink end, by itself or not. */
  async #endSink(writer: Writer, written: Promise<void>): Promise<void> {
    const { brokenOffAt, sourceClosesAt } = this.#plan;
    const { clock } = this.queues;
    const timer = clock.setTimer(
      () => {
        this.#hasSourceClosed = true;
        void this.#source?.close(0);
      },
      Math.min(sourceClosesAt, never),
    );
    const state = { isWritten: false };
    void written.then(() => {
      state.isWritten = true;
    });
    await clock.advance(brokenOffAt === Infinity ? 0 : brokenOffAt);
    for (let second = 0; brokenOffAt === Infinity && second < 200 && !state.isWritten; second += 1) {
      await clock.advance(1_000);
    }
    // Only an answer of onRejected that never comes may keep it from ending.
    if (this.#plan.taking?.includes('never answers') !== true && brokenOffAt === Infinity) {
      expect(state.isWritten).toBe(true);
    }
    await this.queues.run(writer.destroy(new Error('enough')).catch(() => undefined));
    await this.queues.run(written);
    timer.cancel();
  }

  async #closeSource(): Promise<void> {
    const startedAt = this.queues.clock.now();
    await this.queues.run(Promise.resolve(this.#source?.close()));
    if (!this.#hasSourceClosed) expect(this.queues.clock.now() - startedAt).toBeLessThan(soonMs);
    this.queues.expectGone();
    if (!this.#hasSourceClosed) expect(this.queues.broker.inspect('jobs').counts.leased).toBe(0);
  }

  /** Each message was acked if and only if all of its group was confirmed; else it was retried, and that was told. */
  judge(): void {
    for (const group of this.written) {
      for (const { id, leaseId } of group.messages) this.#judgeMessage(group, id, leaseId);
      expect(this.rejections.filter(({ item }) => item === group.item).length).toBeLessThanOrEqual(
        1 + this.#plan.again.length,
      );
    }
  }

  #judgeMessage({ item, names }: Written, id: string, leaseId: string): void {
    const isConfirmed = names.every((name) => this.#isConfirmed(name));
    const isAcked = this.queues.entries('acked').some((entry) => entry.leaseId === leaseId);
    const retries = this.queues.entries('retried').filter((entry) => entry.leaseId === leaseId).length;
    const told = this.told.filter((failure) => failure.id === id);
    const isTakenOver =
      this.#plan.taking?.includes('acks') === true && this.rejections.some((one) => one.item === item);
    if (isAcked && !isTakenOver) expect(isConfirmed).toBe(true);
    expect(told.length).toBeLessThanOrEqual(1);
    if (this.#hasSourceClosed) return;
    expect(isAcked ? 1 : 0).toBe(1 - retries);
    if (!isTakenOver) expect(told.length).toBe(retries);
    // What a sink had confirmed and did not ack it was broken off or had failed before the turn of, so that it is empty.
    if (!isAcked && isConfirmed) expect(names).toEqual([]);
    if (told.length === 1 && this.#plan.taking !== undefined) this.#judgeRejection(item, told[0]!.error);
  }

  /** An item's own fault is given to `onRejected`, once; that of the stream, which names another item, is not. */
  #judgeRejection(item: unknown, error: unknown): void {
    const ofItem = this.rejections.filter((rejection) => rejection.item === item && rejection.error === error);
    const isOwn = (error instanceof TypeError && !error.message.includes('Cannot push item')) || isRefused(error);
    expect(ofItem.length).toBe(isOwn ? 1 : 0);
  }

  #isConfirmed(name: string): boolean {
    return this.queues.outCalls.calls.some(
      ({ isConfirmed, messages }) =>
        isConfirmed && messages.some(({ body }) => (body as EncodedBody).text.includes(`"${name}"`)),
    );
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && error.message === 'The service refused it';
}

describe.each([nodeSink, webSink])('the claims of $name', (sink) => {
  it('end with it, whatever subset of pushes fails and however it ends', async () => {
    await fc.assert(
      fc.asyncProperty(claimsPlans, async (plan) => {
        const run = new ClaimsRun(plan);
        await run.run(sink);
        run.judge();
      }),
      { numRuns: 300 },
    );
  }, 120_000);
});
