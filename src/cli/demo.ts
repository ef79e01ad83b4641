import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { ConsumerSummary } from '../consumer/stats.ts';
import { systemClock } from '../contract/system-clock.ts';
import { openQueue } from '../queue/open-queue.ts';
import { createBroker } from '../broker/create-broker.ts';
import { InputError } from './exit-codes.ts';
import { Progress } from './progress.ts';
import { parseLine, readLines } from './read-lines.ts';

const usage = `Usage: npm start [-- FILE]

Pushes the lines of FILE (newline-delimited JSON; "-" for standard input; a sample without it) to an embedded
broker on a loopback socket, consumes them in a for-await loop in which every fifth message fails at first, and
prints what happened. Exits with 0 when the queue is empty at the end, with 1 otherwise, with 2 for wrong input.
`;

/** How often each line of the sample is pushed. */
const sampleCopies = 40;

/** Reads what to push: a file, standard input, or the sample. */
async function readInput(argument: string | undefined): Promise<unknown[]> {
  if (argument === '-') return readBodies(process.stdin);
  if (argument !== undefined) return readBodies(createReadStream(argument));
  const sample = await readBodies(
    createReadStream(fileURLToPath(new URL('../../src/cli/sample.ndjson', import.meta.url))),
  );
  return Array.from({ length: sampleCopies }, () => sample).flat();
}

async function readBodies(chunks: AsyncIterable<string | Uint8Array>): Promise<unknown[]> {
  const bodies: unknown[] = [];
  let lineNumber = 0;
  for await (const line of readLines<never>(chunks)) {
    lineNumber += 1;
    const body = parseLine(line, lineNumber);
    if (body !== undefined) bodies.push(body);
  }
  return bodies;
}

interface Outcome {
  readonly pushed: number;
  readonly requests: number;
  readonly elapsedMs: number;
  readonly isEmpty: boolean;
  readonly summary: ConsumerSummary;
}

async function run(bodies: readonly unknown[]): Promise<Outcome> {
  await using server = await createBroker().listen();
  let requests = 0;
  const countingFetch: typeof fetch = (...args) => {
    requests += 1;
    return fetch(...args);
  };
  const queue = openQueue({ ...server.queue('demo'), fetch: countingFetch });
  const startedAt = systemClock.monotonic();
  await queue.sendBatch(bodies.map((body) => ({ body })));

  const progress = new Progress(process.stderr, 'handled', bodies.length);
  const consumer = queue.consume({ stopWhenEmpty: { forMs: 1_500 } });
  let delivered = 0;
  let handled = 0;
  for await (const message of consumer) {
    delivered += 1;
    try {
      if (message.attempts === 1 && delivered % 5 === 0) throw new Error('the handler failed');
      handled += 1;
    } catch {
      void message.retry({ delaySeconds: 1 });
    }
    progress.show(handled);
  }
  const elapsedMs = systemClock.monotonic() - startedAt;
  const summary = await consumer.closed;
  const { backlogCount } = await queue.metrics();
  return { pushed: bodies.length, requests, elapsedMs, isEmpty: backlogCount === 0, summary };
}

function table({ pushed, requests, elapsedMs, summary }: Outcome): string {
  const rows: readonly (readonly [string, string])[] = [
    ['pushed', String(pushed)],
    ['delivered', String(summary.delivered)],
    ['acked', String(summary.acked)],
    ['retried', String(summary.retried)],
    ['requests', String(requests)],
    ['elapsed', `${(elapsedMs / 1000).toFixed(2)} s`],
  ];
  return rows.map(([name, value]) => `${name.padEnd(10)} ${value.padStart(8)}\n`).join('');
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.length > 1) {
    process.stdout.write(usage);
    return args.includes('--help') ? 0 : 2;
  }
  const outcome = await run(await readInput(args[0]));
  process.stdout.write(table(outcome));
  if (outcome.isEmpty) return 0;
  process.stderr.write('The queue is not empty\n');
  return 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isInput = error instanceof InputError || (error instanceof Error && 'code' in error && error.code === 'ENOENT');
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = isInput ? 2 : 1;
}
