import { createBroker } from '../../src/broker.ts';
import { createCloudflareTransport } from '../../src/cloudflare.ts';
import { testTransport } from '../contract-suites/transport.ts';

const open = () => createBroker({ queues: { jobs: {} } });

testTransport('of the broker itself', async () => {
  const broker = open();
  return { broker, transport: broker.transport('jobs') };
});

testTransport('over a fetch within the process', async () => {
  const broker = open();
  return { broker, transport: createCloudflareTransport(broker.queue('jobs')) };
});

testTransport('over a socket', async () => {
  const broker = open();
  const server = await broker.listen();
  return { broker, transport: createCloudflareTransport(server.queue('jobs')), close: server.close };
});

testTransport('over a fetch that gives JSON bodies in base64', async () => {
  const broker = createBroker({ jsonBodies: 'base64', queues: { jobs: {} } });
  return { broker, transport: createCloudflareTransport(broker.queue('jobs')) };
});
