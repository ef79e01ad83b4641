import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBroker } from '../../src/broker.ts';
import { createCloudflareTransport, type QueueTransport } from '../../src/cloudflare.ts';
import { BuiltCli, end, type ServingProcess } from './built-cli.ts';

let cli: BuiltCli;
let directory: string;

beforeAll(async () => {
  cli = await BuiltCli.build();
  directory = await mkdtemp(join(tmpdir(), 'leasestream-crash-'));
}, 60_000);

afterAll(async () => {
  await cli.remove();
  await rm(directory, { recursive: true, force: true });
});

const kills = 30;

/** What clients know of messages, by the answers that they got. */
class Ledger {
  /** Confirmed pushes. */
  readonly pushed = new Set<number>();
  /** Pushes that were sent: with or without an answer. */
  readonly tried = new Set<number>();
  /** Confirmed acknowledgements. */
  readonly acked = new Set<number>();
  /** Acknowledgements that were sent. */
  readonly settling = new Set<number>();
  next = 0;
}

const transportTo = ({ baseUrl, accountId, apiToken, queues }: ServingProcess): QueueTransport =>
  createCloudflareTransport({ baseUrl, accountId, apiToken, queueId: queues[0]?.id ?? '' });

async function pushOn(transport: QueueTransport, ledger: Ledger): Promise<void> {
  for (;;) {
    const ids = Array.from({ length: 1 + (ledger.next % 40) }, () => (ledger.next += 1));
    for (const id of ids) ledger.tried.add(id);
    await transport.bulkPush({ messages: ids.map((id) => ({ body: { id } })) });
    for (const id of ids) ledger.pushed.add(id);
  }
}

async function consumeOn(transport: QueueTransport, ledger: Ledger): Promise<void> {
  for (;;) {
    const { messages } = await transport.pull({ batchSize: 50, visibilityTimeoutMs: 600_000 });
    const ids = messages.map(({ body }) => (body as { id: number }).id);
    // Acknowledged messages never come again, not even after a kill.
    expect(ids.filter((id) => ledger.acked.has(id))).toEqual([]);
    // A part is left leased: those leases have to outlast the kill as well.
    const chosen = messages.filter((_, index) => index % 3 !== 0);
    if (chosen.length === 0) continue;
    const chosenIds = chosen.map(({ body }) => (body as { id: number }).id);
    for (const id of chosenIds) ledger.settling.add(id);
    const { ackCount } = await transport.ack({ acks: chosen.map(({ leaseId }) => leaseId), retries: [] });
    expect(ackCount).toBe(chosen.length);
    for (const id of chosenIds) ledger.acked.add(id);
  }
}

/** Runs until the server is gone. */
const untilKilled = (work: Promise<void>): Promise<void> =>
  work.catch((error: unknown) => {
    if ((error as { code?: unknown }).code !== 'network') throw error;
  });

describe('serve --data', () => {
  it(`loses nothing that it confirmed, and brings back nothing that was acknowledged, over ${kills} kills under load`, async () => {
    const ledger = new Ledger();
    for (let kill = 0; kill < kills; kill += 1) {
      const server = await cli.serve(['--data', directory, '--queue', 'jobs:max-retries=100,visibility-timeout=12h']);
      const transport = transportTo(server);
      const confirmed = ledger.pushed.size;
      const work = [pushOn(transport, ledger), pushOn(transport, ledger), consumeOn(transport, ledger)].map(
        untilKilled,
      );
      // In the middle of the work, after a number of answers that differs from time to time.
      while (ledger.pushed.size < confirmed + 20 + 13 * (kill % 10)) await new Promise(setImmediate);
      await end(server.child, 'SIGKILL');
      await Promise.all(work);
    }
    await using broker = await openBroker({ directory });
    const left = new Set(broker.inspect('jobs').messages.map(({ body }) => (body as { id: number }).id));
    const lost = [...ledger.pushed].filter((each) => !left.has(each) && !ledger.settling.has(each));
    const risen = [...ledger.acked].filter((each) => left.has(each));
    const invented = [...left].filter((each) => !ledger.tried.has(each));
    expect({ lost, risen, invented }).toEqual({ lost: [], risen: [], invented: [] });
    expect(ledger.pushed.size).toBeGreaterThan(kills * 20);
    expect(ledger.acked.size).toBeGreaterThan(0);
  }, 120_000);

  it('has another server wait its turn', async () => {
    const server = await cli.serve(['--data', directory]);
    await expect(cli.serve(['--data', directory])).rejects.toThrow('another process has it open');
    expect(await end(server.child, 'SIGINT')).toBe(0);
  });
});
