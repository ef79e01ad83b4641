import { env } from 'cloudflare:workers';
import { openQueue } from 'leasestream';
import { toWritableStream } from 'leasestream/web';

// Of the module: it outlives every request.
const queue = openQueue(env.QUEUE);

const answers = {
  '/send': async (id) => {
    await queue.send({ id });
    return 'sent';
  },
  '/send-many': async (id) => {
    await Promise.all(Array.from({ length: 250 }, (_, index) => queue.send({ id: `${id}-${index}` })));
    return 'sent';
  },
  '/forget': async (id) => {
    void queue.send({ id });
    return 'forgotten';
  },
  '/later': async (id, ctx) => {
    ctx.waitUntil(queue.send({ id }));
    return 'later';
  },
  '/write': async (id) => {
    const writer = toWritableStream(queue).getWriter();
    await Promise.all([1, 2, 3].map((n) => writer.write({ id: `${id}-${n}` })));
    await writer.close();
    return 'written';
  },
  '/consume': async (count) => {
    const ids = [];
    for await (const message of queue.consume({ maxIdleMs: 500, visibilityTimeoutMs: 2_000 })) {
      ids.push(message.body.id);
      if (ids.length < Number(count)) continue;
      await message.ack();
      break;
    }
    return ids.join();
  },
};

export default {
  async fetch(request, _, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    return new Response(await answers[pathname]?.(searchParams.get('id'), ctx));
  },
};
