import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Broker, createBroker } from '../../src/broker.ts';
import { type ContentType, openQueue } from '../../src/index.ts';
import { decodeV8 } from '../../src/node.ts';
import { installWorkerd, type RunningWorker, startBoundWorker } from './workerd.ts';

let broker: Broker;
let platform: Server;
let worker: RunningWorker;

/** Takes what a binding sends over the wire, and puts it, byte by byte, into the queue. */
function listenAsPlatform(): Server {
  return createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const bytes = Buffer.concat(chunks);
      if (request.url === '/message') take(String(request.headers['x-msg-fmt']) as ContentType, bytes);
      else {
        const { messages } = JSON.parse(bytes.toString('utf8')) as {
          readonly messages: ReadonlyArray<{ readonly contentType: ContentType; readonly body: string }>;
        };
        for (const { contentType, body } of messages) take(contentType, Buffer.from(body, 'base64'));
      }
      const metrics = { backlogCount: 1, backlogBytes: 1, oldestMessageTimestamp: 0 };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ metadata: { metrics } }));
    })();
  });
}

function take(contentType: ContentType, bytes: Uint8Array): void {
  if (contentType === 'bytes' || contentType === 'v8') broker.push('jobs', { contentType, body: bytes });
  else broker.push('jobs', { contentType, body: Buffer.from(bytes).toString('utf8'), raw: true });
}

beforeAll(async () => {
  await installWorkerd();
  broker = createBroker({ queues: { jobs: {} } });
  platform = listenAsPlatform().listen(0, '127.0.0.1');
  await once(platform, 'listening');
  worker = await startBoundWorker('bodies.worker.mjs', (platform.address() as AddressInfo).port);
}, 300_000);

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  platform.close();
});

/** Sends one way, and gives what is pulled over HTTP. */
async function pulled(way: string): Promise<ReadonlyArray<{ contentType: ContentType; body: unknown; raw: unknown }>> {
  expect(await worker.ask(`/${way}`)).toEqual({ status: 200, text: 'sent' });
  const messages = [];
  const decode = way === 'v8' ? { decode: decodeV8 } : {};
  const queue = openQueue({ ...broker.queue('jobs'), ...decode });
  for await (const { contentType, body, raw } of queue.consume({ stopWhenEmpty: true })) {
    messages.push({ contentType, body, raw });
  }
  return messages;
}

describe('what a binding sends, pulled over HTTP', () => {
  it.each([
    ['json', 'json', { json: [1, 'ü', null] }],
    ['json-string', 'json', 'a "string"'],
    ['text', 'text', 'täxt'],
    ['bytes', 'bytes', new Uint8Array([0, 255, 7])],
    ['v8', 'v8', { map: new Map([['at', new Date(5_000)]]), big: 2n ** 70n }],
    ['handle-json', 'json', { n: [1.5, 'ü'] }],
    ['handle-text', 'text', 'täxt'],
  ])('is the same value: %s', async (way, contentType, body) => {
    expect(await pulled(way)).toMatchObject([{ contentType, body }]);
  });

  it('is what the documentation has a table of', async () => {
    const page = await readFile(join(import.meta.dirname, '../../docs/workers.md'), 'utf8');
    const types = [...page.matchAll(/^\| `(\w+)` /gm)].map(([, type]) => type);
    expect(types).toEqual(['json', 'text', 'bytes', 'v8']);
  });

  it('is the same in a batch', async () => {
    expect(await pulled('handle-batch')).toMatchObject([
      { contentType: 'text', body: 'a' },
      { contentType: 'json', body: { b: 1 } },
    ]);
  });

  it('is moved to the last digit', async () => {
    expect(await pulled('handle-raw')).toMatchObject([{ raw: '{"id":12345678901234567890,"x":1.10}' }]);
  });
});
