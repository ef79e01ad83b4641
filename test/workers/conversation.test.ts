import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installWorkerd, type RunningWorker, startWorker } from './workerd.ts';

let worker: RunningWorker;

beforeAll(async () => {
  await installWorkerd();
  const consumer = { maxBatchSize: 10, maxBatchTimeout: 0, maxRetries: 3 };
  worker = await startWorker('conversation.worker.mjs', {
    queueProducers: { QUESTIONS: 'questions', ANSWERS: 'answers', KINDS: 'kinds' },
    queueConsumers: { questions: consumer, answers: consumer, kinds: consumer },
  });
}, 300_000);

afterAll(() => worker[Symbol.asyncDispose]());

interface Answered {
  readonly answered: readonly unknown[];
  readonly attempts: Readonly<Record<string, number>>;
}

async function answered(): Promise<Answered> {
  return JSON.parse((await worker.ask('/answered')).text) as Answered;
}

describe('a Worker, its queue, and the Worker again', { timeout: 60_000 }, () => {
  it('handles what it sends, each message for itself, and reads the answers', async () => {
    expect(await worker.ask('/ask?count=50')).toEqual({ status: 200, text: 'asked' });
    await expect.poll(async () => (await answered()).answered.length, { timeout: 50_000 }).toBe(50);
    const { answered: answers, attempts } = await answered();
    const expected = Array.from({ length: 50 }, (_, n) => ({ answer: n * 2, isLive: true }));
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
      new Set(expected.map((answer) => JSON.stringify(answer))),
    );
    expect(attempts).toEqual(Object.fromEntries(expected.map((_, n) => [n, n % 5 === 0 ? 2 : 1])));
  });

  it('reads bodies of every content type', async () => {
    const before = (await answered()).answered.length;
    expect(await worker.ask('/kinds')).toEqual({ status: 200, text: 'sent' });
    const kinds = async (): Promise<readonly unknown[]> => (await answered()).answered.slice(before);
    await expect.poll(kinds, { timeout: 50_000 }).toHaveLength(5);
    expect(await kinds()).toEqual([
      { contentType: 'json', body: { json: [1, 'ü', null] } },
      { contentType: 'text', body: 'täxt' },
      { contentType: 'bytes', body: { bytes: [0, 255, 7] } },
      { contentType: 'v8', body: { map: [['v8', 1]] } },
      { contentType: 'json', body: { handle: true } },
    ]);
  });

  it('learns of limits and metrics from the binding', async () => {
    expect((await worker.ask('/too-large')).text).toBe(
      // Of whatever miniflare refuses; the library itself pushes nothing that is too large.
      'QueueError service-failed: Cannot push by the binding: Unknown Internal Error (15000)',
    );
    expect(JSON.parse((await worker.ask('/metrics')).text)).toMatchObject({ backlogCount: 0 });
  });
});
