import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Broker, type BrokerServer, createBroker } from '../../src/broker.ts';
import { installWrangler, type Printed, wrangler } from './install-wrangler.ts';

let broker: Broker;
let server: BrokerServer;

beforeAll(installWrangler, 300_000);

beforeEach(async () => {
  broker = createBroker();
  server = await broker.listen();
});

afterEach(() => server.close());

const queues = async (...parameters: readonly string[]): Promise<Printed> => wrangler(server, 'queues', ...parameters);

describe('wrangler queues', { timeout: 120_000 }, () => {
  it('creates a queue, adds a consumer, shows, pauses, resumes, purges and deletes it', async () => {
    expect(await queues('create', 'jobs', '--delivery-delay-secs', '5')).toMatchObject({ code: 0 });
    expect(broker.queueNames()).toEqual(['jobs']);
    const transport = broker.transport('jobs');
    await expect(transport.pull({})).rejects.toMatchObject({ code: 'pull-not-enabled' });

    const settings = ['--message-retries', '0', '--visibility-timeout-secs', '60', '--dead-letter-queue', 'dead'];
    expect(await queues('consumer', 'http', 'add', 'jobs', ...settings)).toMatchObject({ code: 0 });
    expect((await transport.pull({})).messages).toEqual([]);

    const info = await queues('info', 'jobs');
    expect(info.output).toContain(`Queue ID: ${server.queue('jobs').queueId}`);
    expect(info.output).toContain('HTTP Pull Consumer');
    const list = await queues('list');
    expect(list.output).toMatch(/jobs[^]*dead/);

    expect(await queues('pause-delivery', 'jobs')).toMatchObject({ code: 0 });
    await expect(transport.pull({})).rejects.toMatchObject({ code: 'delivery-paused' });
    expect(await queues('resume-delivery', 'jobs')).toMatchObject({ code: 0 });
    expect((await transport.pull({})).messages).toEqual([]);

    broker.push('jobs', { body: 1 });
    expect(await queues('purge', 'jobs', '--force')).toMatchObject({ code: 0 });
    expect(broker.isEmpty('jobs')).toBe(true);

    expect(await queues('consumer', 'http', 'remove', 'jobs')).toMatchObject({ code: 0 });
    await expect(transport.pull({})).rejects.toMatchObject({ code: 'pull-not-enabled' });
    expect(await queues('delete', 'jobs')).toMatchObject({ code: 0 });
    expect(broker.queueNames()).toEqual(['dead']);
  });

  it('is told what is wrong, in words that it shows', async () => {
    broker.queue('jobs');
    const taken = await queues('create', 'jobs');
    expect([taken.code, taken.output]).toEqual([1, expect.stringContaining("Queue name 'jobs' is already taken")]);
    const nobody = await queues('info', 'nobody');
    expect([nobody.code, nobody.output]).toEqual([1, expect.stringContaining('Queue "nobody" does not exist')]);
    const second = await queues('consumer', 'http', 'add', 'jobs');
    expect([second.code, second.output]).toEqual([1, expect.stringContaining('already has a consumer')]);
  });

  it('keeps a Worker as a consumer, which nobody runs', async () => {
    broker.queue('jobs', { httpPull: false });
    const settings = ['--batch-size', '7', '--batch-timeout', '9', '--dead-letter-queue', 'dead'];
    expect(await queues('consumer', 'add', 'jobs', 'my-worker', ...settings)).toMatchObject({ code: 0 });
    const info = await queues('info', 'jobs');
    expect(info.output).toContain('worker:my-worker');
    expect((await queues('consumer', 'worker', 'list', 'jobs')).output).toContain('my-worker');
    const stranger = await queues('consumer', 'remove', 'jobs', 'stranger');
    expect([stranger.code, stranger.output]).toEqual([1, expect.stringContaining('No worker consumer')]);
    expect(await queues('consumer', 'remove', 'jobs', 'my-worker')).toMatchObject({ code: 0 });
    expect((await queues('info', 'jobs')).output).not.toContain('my-worker');
  });

  it('subscribes to events, lists, shows, changes and deletes subscriptions', async () => {
    broker.queue('jobs');
    const subscription = async (...parameters: readonly string[]): Promise<Printed> =>
      queues('subscription', ...parameters);
    const events = ['--source', 'r2', '--events', 'bucket.created,bucket.deleted'];
    const created = await subscription('create', 'jobs', ...events);
    expect([created.code, created.output]).toEqual([0, expect.stringContaining('Successfully created')]);
    const [, id = ''] = /with id '([\da-f]{32})'/.exec(created.output) ?? [];
    expect((await subscription('list', 'jobs')).output).toContain(id);
    expect((await subscription('get', 'jobs', '--id', id)).output).toContain('bucket.created, bucket.deleted');
    expect(await subscription('update', 'jobs', '--id', id, '--events', 'bucket.created')).toMatchObject({ code: 0 });
    broker.emitEvent(id, { event: 'bucket.created' });
    expect(broker.inspect('jobs').messages).toMatchObject([{ body: { type: 'cf.r2.bucket.created' } }]);
    const wrong = await subscription('create', 'jobs', '--source', 'kv', '--events', 'nothing');
    expect([wrong.code, wrong.output]).toEqual([1, expect.stringContaining('Unrecognized event types: nothing')]);
    expect(await subscription('delete', 'jobs', '--id', id, '--force')).toMatchObject({ code: 0 });
    expect((await subscription('list', 'jobs')).output).not.toContain(id);
  });
});
