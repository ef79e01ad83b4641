import { describe, expect, it } from 'vitest';
import { createBroker } from '../../src/broker.ts';

// What terraform-provider-cloudflare 5 sends for `cloudflare_queue` and `cloudflare_queue_consumer`, in its order: the whole
// plan with every write, numbers as floats, and a read after each. The provider itself is a program of 200 MB.
// See internal/services/queue and internal/services/queue_consumer of cloudflare/terraform-provider-cloudflare.

interface Step {
  readonly does: string;
  readonly request: readonly [method: string, path: string, body?: string];
  readonly status: number;
  readonly result?: unknown;
  readonly code?: number;
}

const queue = '/queues/{queue}';
const consumer = `${queue}/consumers/{consumer}`;
const pullConsumer = {
  type: 'http_pull',
  queue_name: 'orders',
  dead_letter_queue: '',
  settings: { batch_size: 10, max_retries: 5, retry_delay: 0, visibility_timeout_ms: 12_000 },
};

const conversation: readonly Step[] = [
  {
    does: 'creates a queue',
    request: ['POST', '/queues', '{"queue_name":"jobs"}'],
    status: 200,
    result: { queue_name: 'jobs', consumers: [], producers: [], settings: { delivery_delay: 0 } },
  },
  { does: 'reads it', request: ['GET', queue], status: 200, result: { queue_name: 'jobs' } },
  {
    does: 'changes its settings',
    request: [
      'PUT',
      queue,
      '{"queue_name":"jobs","settings":{"delivery_delay":5.0,"delivery_paused":false,"message_retention_period":86400.0}}',
    ],
    status: 200,
    result: { settings: { delivery_delay: 5, delivery_paused: false, message_retention_period: 86_400 } },
  },
  {
    does: 'renames it in place',
    request: [
      'PUT',
      queue,
      '{"queue_name":"orders","settings":{"delivery_delay":5.0,"delivery_paused":false,"message_retention_period":86400.0}}',
    ],
    status: 200,
    result: { queue_name: 'orders', settings: { delivery_delay: 5, message_retention_period: 86_400 } },
  },
  { does: 'reads it by the id that it had', request: ['GET', queue], status: 200, result: { queue_name: 'orders' } },
  {
    does: 'creates a consumer',
    request: [
      'POST',
      `${queue}/consumers`,
      '{"type":"http_pull","settings":{"batch_size":10.0,"max_retries":5.0,"visibility_timeout_ms":12000.0}}',
    ],
    status: 200,
    result: pullConsumer,
  },
  { does: 'reads it', request: ['GET', consumer], status: 200, result: pullConsumer },
  {
    does: 'changes it',
    request: ['PUT', consumer, '{"type":"http_pull","dead_letter_queue":"dead","settings":{"batch_size":20.0}}'],
    status: 200,
    result: { type: 'http_pull', dead_letter_queue: 'dead', settings: { batch_size: 20, max_retries: 3 } },
  },
  {
    does: 'finds the consumer in the queue',
    request: ['GET', queue],
    status: 200,
    result: { consumers_total_count: 1, consumers: [{ settings: { batch_size: 20 } }] },
  },
  { does: 'deletes the consumer', request: ['DELETE', consumer], status: 200, result: null },
  {
    does: 'learns that it is gone, and drops it from its state',
    request: ['GET', consumer],
    status: 404,
    code: 11_006,
  },
  { does: 'deletes the queue', request: ['DELETE', queue], status: 200, result: null },
  { does: 'learns that it is gone', request: ['GET', queue], status: 404, code: 11_000 },
];

describe('the conversation of the Terraform provider', () => {
  it('creates, reads, renames, changes and deletes', async () => {
    const broker = createBroker();
    const { accountId, apiToken, baseUrl } = broker.queue('another');
    const ids = new Map<string, string>();
    for (const { does, request, status, result, code } of conversation) {
      const [method, path, body] = request;
      const address = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids.get(name) ?? '');
      const headers = { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' };
      const init = body === undefined ? { method, headers } : { method, headers, body };
      const response = await broker.fetch(`${baseUrl}/accounts/${accountId}${address}`, init);
      const answer = (await response.json()) as {
        readonly result: { readonly queue_id?: string; readonly consumer_id?: string } | null;
        readonly errors: readonly { readonly code: number }[];
      };
      expect([does, response.status, answer.errors[0]?.code]).toEqual([does, status, code]);
      if (result === null) expect(answer.result).toBeNull();
      else if (result !== undefined) expect(answer.result).toMatchObject(result);
      for (const name of ['queue', 'consumer'] as const) {
        const id = answer.result?.[`${name}_id`];
        if (id === undefined) continue;
        expect([does, ids.get(name) ?? id]).toEqual([does, id]);
        ids.set(name, id);
      }
    }
  });
});
