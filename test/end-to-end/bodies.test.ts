import { describe, expect, it } from 'vitest';
import { type BrokerServer, createBroker } from '../../src/broker.ts';

const jsonTexts = [
  '1234567890123456789',
  '{"id":1234567890123456789}',
  '[1.10,1E400,-0,0.1e+1]',
  '{ "b" : 1,\n"a":"  two  spaces \\u0041\\/",  "2":0, "1":0 }',
  '{"a":1,"a":2,"__proto__":3}',
  '{"body":{"body":[{"body":1.0}]}}',
];

interface Pulled {
  readonly messages: ReadonlyArray<{ readonly body: string }>;
}

/** Calls a queue of a broker on a socket as any program would, with a body as it stands. */
async function post(server: BrokerServer, path: string, body: string): Promise<unknown> {
  const { baseUrl, accountId, queueId, apiToken } = server.queue('jobs');
  const answer = await fetch(`${baseUrl}/accounts/${accountId}/queues/${queueId}/messages${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' },
    body,
  });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { result: unknown }).result;
}

const pullTexts = async (server: BrokerServer): Promise<string[]> =>
  ((await post(server, '/pull', '{"batch_size":100}')) as Pulled).messages.map(({ body }) => body);

describe('the broker on a socket', () => {
  it('gives JSON bodies as they were written, pushed one by one or in bulk', async () => {
    const server = await createBroker({ queues: { jobs: {} } }).listen();
    try {
      for (const text of jsonTexts) await post(server, '', `{ "delay_seconds" : 0, "body" : ${text} }`);
      await post(server, '/batch', `{"messages":[${jsonTexts.map((text) => `{"body":${text} }`).join(' , ')}]}`);
      expect(await pullTexts(server)).toEqual([...jsonTexts, ...jsonTexts]);
    } finally {
      await server.close();
    }
  });
});
