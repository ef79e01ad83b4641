import { openQueue } from 'leasestream';
import { fromBatch, fromBinding, toQueueHandler } from 'leasestream/workers';

const answered = [];
const attempts = {};

const handlers = {
  /** Answers each question, in the other queue, and fails on some at first. */
  questions: toQueueHandler(
    async ({ body, attempts: tries }, signal, { env }) => {
      attempts[body.n] = tries;
      if (body.n % 5 === 0 && tries === 1) throw new Error('once');
      await openQueue(fromBinding(env.ANSWERS)).send({ answer: body.n * 2, isLive: !signal.aborted });
    },
    { concurrency: 5, retryDelaySeconds: 1 },
  ),
  answers: async (batch) => {
    for await (const { body } of fromBatch(batch)) answered.push(body);
  },
  kinds: async (batch) => {
    for await (const { body, contentType } of fromBatch(batch)) {
      const isBytes = body instanceof Uint8Array;
      answered.push({
        contentType,
        body: isBytes ? { bytes: [...body] } : body instanceof Map ? { map: [...body] } : body,
      });
    }
  },
};

const tasks = {
  '/ask': async (env, count) => {
    const questions = openQueue(fromBinding(env.QUESTIONS));
    await questions.sendBatch(Array.from({ length: Number(count) }, (_, n) => ({ body: { n } })));
    return 'asked';
  },
  '/answered': async () => JSON.stringify({ answered, attempts }),
  '/kinds': async (env) => {
    await env.KINDS.send({ json: [1, 'ü', null] }, { contentType: 'json' });
    await env.KINDS.send('täxt', { contentType: 'text' });
    await env.KINDS.send(new Uint8Array([0, 255, 7]), { contentType: 'bytes' });
    await env.KINDS.send(new Map([['v8', 1]]), { contentType: 'v8' });
    await openQueue(fromBinding(env.KINDS)).send({ handle: true });
    return 'sent';
  },
  '/too-large': async (env) => {
    const { transport } = fromBinding(env.KINDS);
    try {
      await transport.push({ body: 'x'.repeat(200_000) });
      return 'sent';
    } catch (error) {
      return `${error.name} ${error.code}: ${error.message}`;
    }
  },
  '/metrics': async (env) => JSON.stringify(await openQueue(fromBinding(env.KINDS)).metrics()),
};

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    return new Response(await tasks[pathname](env, searchParams.get('count')));
  },
  queue: (batch, env, ctx) => handlers[batch.queue](batch, env, ctx),
};
