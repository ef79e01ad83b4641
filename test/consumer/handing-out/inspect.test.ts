import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { printMessage } from '../../../src/consumer/handing-out/inspect.ts';
import type { LeasedMessage } from '../../../src/index.ts';
import { type Jobs, openJobs } from '../jobs.ts';

const options = { visibilityTimeoutMs: 20_000, stopWhenEmpty: true } as const;

/** What the first message is printed as, 500 ms after it was pushed. */
async function printFirst(jobs: Jobs<unknown>, print: (message: LeasedMessage) => string = inspect): Promise<string[]> {
  const printed: string[] = [];
  const handle = async (message: LeasedMessage): Promise<void> => {
    await jobs.wait(500);
    printed.push(print(message));
  };
  await jobs.run(jobs.queue.process(handle, options));
  return printed;
}

describe('a printed message', () => {
  it('shows its id, attempts, age, the lease time left and its body', async () => {
    const jobs = openJobs();
    jobs.push({ n: 1 }, 'it is\ntext', Uint8Array.of(1, 2, 3));
    const [id] = jobs.broker.inspect('jobs').messages.map((message) => message.id);
    const [json, text, bytes] = await printFirst(jobs);
    expect(json).toBe(`LeasedMessage { id: '${id}', attempts: 1, ageMs: 500, leaseRemainingMs: 19500, json: {"n":1} }`);
    expect(text).toMatch(/, text: 'it is\\ntext' }$/);
    expect(bytes).toMatch(/, bytes: Uint8Array\(3\) }$/);
  });

  it('shortens a long body, and stays on one line', async () => {
    const jobs = openJobs();
    jobs.push({ long: 'x'.repeat(1_000) }, 'y'.repeat(1_000));
    jobs.broker.push('jobs', { body: `[1,\n${'2,'.repeat(1_000)}3]`, contentType: 'json', raw: true });
    for (const printed of await printFirst(jobs)) {
      expect(printed).toMatch(/^[^\n]{100,300}… ?'? }$/);
    }
  });

  it('shows nothing of the engine, nor of what a message is made with', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const printed = await printFirst(jobs, (message) => inspect({ message }, { depth: 9, showHidden: true }));
    expect(printed.join('')).not.toMatch(/keeper|holdings|transport|#|engine|leaseId/i);
  });

  it('does so in Deno, too', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const [printed] = await printFirst(jobs, (message) => {
      const print: unknown = Reflect.get(message, Symbol.for('Deno.customInspect'));
      return typeof print === 'function' ? String(print.call(message, inspect, {})) : '';
    });
    expect(printed).toMatch(/^LeasedMessage \{ id: '.*json: 1 }$/);
  });

  it('shows also one whose body has no JSON form, of a transport that does not know what came', () => {
    const message = { id: 'a', attempts: 1, timestamp: new Date(0), leaseExpiresAt: 9, leaseRemainingMs: 4 };
    const raw = (): never => {
      throw new TypeError('no JSON form');
    };
    const printed = printMessage(
      Object.defineProperty({ ...message, contentType: 'json', body: new Map() } as never, 'raw', { get: raw }),
    );
    expect(printed).toBe("LeasedMessage { id: 'a', attempts: 1, ageMs: 5, leaseRemainingMs: 4, json: of type Map }");
  });
});

describe('a printed batch', () => {
  it('shows its queue and its first messages', async () => {
    const jobs = openJobs({}, { queueName: 'jobs' });
    jobs.push(...Array.from({ length: 30 }, (_, n) => n));
    const printed: string[] = [];
    await jobs.run(
      jobs.queue.processBatches((batch) => void printed.push(inspect(batch, { depth: 9 })), { ...options, size: 30 }),
    );
    const lines = printed.flatMap((text) => text.split('\n'));
    expect(lines[0]).toMatch(/^MessageBatch \{ queue: 'jobs', messages: \[$/);
    expect(lines[1]).toMatch(/^ {2}LeasedMessage \{ id: .* json: 0 },$/);
    expect(printed.join('')).toContain('more');
    expect(printed.join('')).not.toMatch(/leases|holdings|bodyLength/);
  });
});
