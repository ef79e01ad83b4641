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

  it('can not do what needs more than queues: Workers, R2 and event subscriptions', async () => {
    broker.queue('jobs');
    const worker = await queues('consumer', 'add', 'jobs', 'my-worker');
    expect([worker.code, worker.output]).toEqual([1, expect.stringContaining('the broker runs no Workers')]);
    const subscription = await queues('subscription', 'list', 'jobs');
    expect([subscription.code, subscription.output]).toEqual([1, expect.stringContaining('No route for that URI')]);
  });
});
