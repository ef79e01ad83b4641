// What `leasestream serve` keeps up with: npm run bench:broker
//
// The server is a process of its own, JavaScript on one core; this client has the other. Every message is pushed, pulled and
// acknowledged in requests of 100, over a few connections. The last lines compare pulls from a queue of a million messages
// with those from a short one, within the run.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { median } from './statistics.ts';

interface Served {
  readonly child: ChildProcess;
  readonly baseUrl: string;
  readonly accountId: string;
  readonly apiToken: string;
  readonly queues: readonly { readonly name: string; readonly id: string }[];
}

const connections = 4;
const cycles = 150;
const agent = new Agent({ keepAlive: true });
const batch = JSON.stringify({
  messages: Array.from({ length: 100 }, (_, id) => ({ body: { id, text: 'x'.repeat(100) } })),
});

async function serve(...parameters: readonly string[]): Promise<Served> {
  const main = join(import.meta.dirname, '../src/cli/main.js');
  const all = [main, 'serve', '--port', '0', '--json', '--queue', 'small', '--queue', 'large', ...parameters];
  const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface(child.stdout))
    return { child, ...(JSON.parse(line) as Omit<Served, 'child'>) };
  throw new Error('the server ended');
}

function callerOf({ baseUrl, accountId, apiToken, queues }: Served, name: string) {
  const id = queues.find((queue) => queue.name === name)?.id ?? '';
  const url = `${baseUrl}/accounts/${accountId}/queues/${id}/messages`;
  return (path: string, body: string): Promise<{ messages: { lease_id: string }[] }> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${apiToken}`, 'content-length': Buffer.byteLength(body) };
      const sent = request(url + path, { method: 'POST', agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const { result } = JSON.parse(text) as { result: { messages: { lease_id: string }[] } };
          if (response.statusCode === 200) resolve(result);
          else reject(new Error(text));
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
}

type Caller = ReturnType<typeof callerOf>;

async function cycle(call: Caller): Promise<void> {
  await call('/batch', batch);
  const { messages } = await call('/pull', '{"batch_size":100}');
  await call('/ack', JSON.stringify({ acks: messages.map(({ lease_id }) => ({ lease_id })) }));
}

/** Messages a second that went all the way. */
async function throughput(call: Caller): Promise<number> {
  const start = performance.now();
  const work = async (): Promise<void> => {
    for (let done = 0; done < cycles; done += 1) await cycle(call);
  };
  await Promise.all(Array.from({ length: connections }, work));
  return (connections * cycles * 100 * 1000) / (performance.now() - start);
}

async function measure(name: string, ...parameters: readonly string[]): Promise<void> {
  const served = await serve(...parameters);
  const call = callerOf(served, 'small');
  await throughput(call);
  const runs = [await throughput(call), await throughput(call), await throughput(call)];
  console.log(`${name.padEnd(10)} ${Math.round(median(runs))} messages/s pushed, pulled and acknowledged`);
  served.child.kill();
}

/** The time of a pull of 100, by turns from a queue of a million messages and from a short one. */
async function compareSizes(): Promise<void> {
  const served = await serve();
  const [small, large] = [callerOf(served, 'small'), callerOf(served, 'large')];
  for (let push = 0; push < 10_000; push += 1) await large('/batch', batch);
  for (let push = 0; push < 20; push += 1) await small('/batch', batch);
  const times = { small: [] as number[], large: [] as number[] };
  for (let turn = 0; turn < 600; turn += 1) {
    for (const [size, call] of [
      ['small', small],
      ['large', large],
    ] as const) {
      await call('/batch', batch);
      const start = performance.now();
      const { messages } = await call('/pull', '{"batch_size":100}');
      times[size].push(performance.now() - start);
      await call('/ack', JSON.stringify({ acks: messages.map(({ lease_id }) => ({ lease_id })) }));
    }
  }
  const [short, long] = [median(times.small.slice(100)), median(times.large.slice(100))];
  console.log(`a pull of 100 takes ${(long / short).toFixed(2)} times as long with a million messages queued`);
  served.child.kill();
}

const directory = await mkdtemp(join(tmpdir(), 'leasestream-bench-'));
try {
  await measure('in memory');
  await measure('durable', '--data', directory);
  await compareSizes();
} finally {
  await rm(directory, { recursive: true, force: true });
  agent.destroy();
}
