// The broker of a scenario, in a process of its own: what it costs is not the consumers' cost, and it outlives them.
// Spoken to by messages of its parent, one at a time.
import { setTimeout as sleep } from 'node:timers/promises';
import { createBroker, type JournalEntry } from '../../src/broker.ts';
import { listen } from '../../src/broker/http/listen.ts';
import { handlerOf } from '../../src/broker/in-memory-broker.ts';
import { fastClock } from './fast-clock.ts';
import type { QueueTally, ServiceRequest, ServiceSettings } from './service.ts';

const settings = JSON.parse(process.argv[2] ?? '{}') as ServiceSettings;
const { speed = 1, swallowed = 0 } = settings;
const journal = new Map<string, JournalEntry[]>();
const bodies = new Map<string, unknown>();
const broker = createBroker({
  clock: fastClock(speed),
  onJournal: (entry) => {
    const entries = journal.get(entry.queue) ?? [];
    entries.push(entry);
    journal.set(entry.queue, entries);
  },
});
const handle = handlerOf(broker);
let requests = 0;
const { origin } = await listen(async (request) => {
  requests += 1;
  if (Math.random() >= swallowed) return handle(request);
  // Half of them take effect before they are lost.
  if (Math.random() < 0.5) await handle(request);
  return new Promise<never>(() => undefined);
});

function push(name: string, body: unknown): void {
  bodies.set(broker.push(name, { body }), body);
}

async function trickle(name: string, count: number, meanMs: number): Promise<void> {
  for (let pushed = 0; pushed < count; pushed += 1) {
    // The same in each run, and never in step with anything.
    await sleep(meanMs * (0.5 + ((pushed * 0.618) % 1)));
    push(name, Date.now());
  }
}

function tally(name: string): QueueTally {
  const entries = journal.get(name) ?? [];
  const of = (type: JournalEntry['type']): JournalEntry[] => entries.filter((entry) => entry.type === type);
  const { ready, delayed, leased } = broker.inspect(name).counts;
  const deadLettered = of('deadLettered').map(({ messageId }) => bodies.get(messageId));
  const delivered = of('delivered').length;
  return { requests, delivered, acked: of('acked').length, deadLettered, ready, delayed, leased };
}

process.on('message', (request: ServiceRequest) => {
  const { name } = request;
  if (request.type === 'open') {
    const { maxRetries, messages } = request;
    broker.queue(`${name}-dead`);
    const { accountId, queueId, apiToken } = broker.queue(name, { maxRetries, deadLetterQueue: `${name}-dead` });
    for (let body = 0; body < messages; body += 1) push(name, body);
    process.send?.({ accountId, queueId, apiToken, baseUrl: `${origin}/client/v4` });
  } else if (request.type === 'trickle') {
    void trickle(name, request.messages, request.meanMs);
    process.send?.({});
  } else process.send?.(tally(name));
});
