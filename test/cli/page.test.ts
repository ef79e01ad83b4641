import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCloudflareTransport, type QueueTransport } from '../../src/cloudflare.ts';
import { type Ran, runCli } from './run-cli.ts';

// Debian's Chromium, which .ci/run installs; CHROMIUM names another one.
const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const screenshots = process.env['SCREENSHOTS'];

interface Served {
  readonly baseUrl: string;
  readonly accountId: string;
  readonly apiToken: string;
  readonly queues: readonly { readonly name: string; readonly id: string }[];
}

let profile: string;
let context: BrowserContext;
let page: Page;
let served: Served;
let controller: AbortController;
let ran: Promise<Ran>;
/** What the browser complained of: errors of the script, and breaches of the content security policy. */
let complaints: string[];

beforeAll(async () => {
  profile = await mkdtemp(join(tmpdir(), 'leasestream-chromium-'));
  context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: flags });
}, 60_000);

afterAll(async () => {
  await context.close();
  await rm(profile, { recursive: true, force: true });
});

beforeEach(async () => {
  controller = new AbortController();
  let listening: (text: string) => void = () => undefined;
  const output = new Promise<string>((resolve) => (listening = resolve));
  const parameters = ['--port', '0', '--json', '--api-token', 'page-token', '--queue', 'jobs:dead-letter-queue=dead'];
  ran = runCli(['serve', ...parameters], { signal: controller.signal, onOutput: listening });
  served = JSON.parse(await output) as Served;
  complaints = [];
  page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
});

afterEach(async () => {
  await page.close();
  controller.abort();
  expect((await ran).code).toBe(0);
});

const address = (): string => new URL('/', served.baseUrl).href;
const open = () => page.goto(`${address()}#token=${served.apiToken}`);
const transportTo = (name: string): QueueTransport => {
  const { queues, ...connection } = served;
  return createCloudflareTransport({ ...connection, queueId: queues.find((queue) => queue.name === name)?.id ?? '' });
};
const section = (name: string) => page.locator(`section[data-queue="${name}"]`);
const counted = (name: string, state: string) => section(name).locator(`dd.${state}`);

/** Waits until an element says so. */
async function expectText(locator: ReturnType<Page['locator']>, text: string): Promise<void> {
  await locator.filter({ hasText: new RegExp(`^${text}$`) }).waitFor({ timeout: 10_000 });
  expect(await locator.textContent()).toBe(text);
}

describe('the page of serve', { timeout: 60_000 }, () => {
  it('shows the queues, what is leased and until when, and the dead letter queue', async () => {
    const jobs = transportTo('jobs');
    for (const id of [1, 2, 3, 4]) await jobs.push({ body: { id, to: `user-${id}@example.com` } });
    await jobs.push({ body: 'later', delaySeconds: 3_600 });
    await jobs.pull({ batchSize: 2, visibilityTimeoutMs: 600_000 });
    await transportTo('dead').push({ body: { failed: true } });
    await open();
    await expectText(counted('jobs', 'ready'), '2');
    await expectText(counted('jobs', 'leased'), '2');
    await expectText(counted('jobs', 'delayed'), '1');
    await expectText(counted('dead', 'total'), '1');
    expect(await section('jobs').locator('.about').textContent()).toContain('dead letters go to dead');
    expect(await section('dead').locator('.about').textContent()).toContain('dead letters of jobs');
    expect(await section('jobs').locator('tr', { hasText: 'user-1@' }).locator('.until').textContent()).toMatch(
      /\d.*\((10 min|600 s|599 s)\)/,
    );
    // The token is gone from the address.
    expect(page.url()).toBe(address());
    if (screenshots !== undefined) await page.screenshot({ path: join(screenshots, 'page.png'), fullPage: true });
    expect(complaints).toEqual([]);
  });

  it('pushes JSON and text, and shows what others push as text, whatever it is', async () => {
    await open();
    const input = section('jobs').getByLabel('Message');
    for (const text of ['{"a":1}', 'plain', '<img src=x onerror="document.title=1">']) {
      await input.fill(text);
      await section('jobs').getByRole('button', { name: 'Push' }).click();
      await section('jobs').locator('td.body', { hasText: text }).waitFor();
    }
    expect(await page.title()).toBe('leasestream');
    expect(await page.locator('img').count()).toBe(0);
    const { messages } = await transportTo('jobs').peek({});
    expect(messages.map(({ contentType }) => contentType)).toEqual(['json', 'text', 'text']);
    expect(complaints).toEqual([]);
  });

  it('draws backlog, what is in flight, and rates', async () => {
    const jobs = transportTo('jobs');
    for (const id of [1, 2, 3]) await jobs.push({ body: { id } });
    const { messages } = await jobs.pull({ batchSize: 2, visibilityTimeoutMs: 600_000 });
    await jobs.ack({ acks: [messages[0]?.leaseId ?? ''], retries: [] });
    await open();
    const trend = (name: string) => section('jobs').locator(`figure[data-trend="${name}"]`);
    await expectText(trend('backlog').locator('figcaption'), 'backlog 2');
    await expectText(trend('in flight').locator('figcaption'), 'in flight 1');
    await trend('pushed / s')
      .getByRole('img', { name: /at most [1-9]/ })
      .waitFor();
    await trend('acked / s').getByRole('img').waitFor();
    const points = await trend('backlog').locator('polyline').getAttribute('points');
    expect(points).toMatch(/^(\d+,[\d.]+ )*300,[\d.]+$/);
    if (screenshots !== undefined) await page.screenshot({ path: join(screenshots, 'trends.png'), fullPage: true });
    expect(complaints).toEqual([]);
  });

  it('gives leased messages back, one or all', async () => {
    const jobs = transportTo('jobs');
    for (const id of [1, 2, 3]) await jobs.push({ body: { id } });
    await jobs.pull({ batchSize: 3, visibilityTimeoutMs: 600_000 });
    await open();
    await expectText(counted('jobs', 'leased'), '3');
    await section('jobs').getByRole('row', { name: '"id":2' }).getByRole('button', { name: 'Retry' }).click();
    await expectText(counted('jobs', 'leased'), '2');
    await section('jobs').getByRole('button', { name: 'Retry all leased' }).click();
    await expectText(counted('jobs', 'leased'), '0');
    expect((await jobs.pull({})).messages.map(({ attempts }) => attempts)).toEqual([2, 2, 2]);
    expect(complaints).toEqual([]);
  });

  it('moves dead letters back', async () => {
    for (const body of [{ id: 1 }, 'text']) await transportTo('dead').push({ body });
    await open();
    await section('dead').getByRole('button', { name: 'Move all back to jobs' }).click();
    await expectText(counted('jobs', 'ready'), '2');
    await expectText(counted('dead', 'total'), '0');
    expect((await transportTo('jobs').peek({})).messages.map(({ body }) => body)).toEqual([{ id: 1 }, 'text']);
    expect(complaints).toEqual([]);
  });

  it('says why it moves no dead letters, and leases none then', async () => {
    const dead = transportTo('dead');
    await dead.push({ body: 'text' });
    // What the page can't move, on its last attempt: as a Worker had pushed it.
    await page.route('**/messages/peek', async (route) => {
      const answer = await route.fetch();
      const { result, ...envelope } = await answer.json();
      const metadata = { 'CF-Content-Type': 'bytes' };
      const messages = result.messages.map((message: object) => ({ ...message, metadata, attempts: 3 }));
      await route.fulfill({ response: answer, json: { ...envelope, result: { messages } } });
    });
    await open();
    await section('dead').getByRole('button', { name: 'Move all back to jobs' }).click();
    await page.locator('#status', { hasText: '0 moved to jobs; it stopped as a message' }).waitFor({ timeout: 10_000 });
    expect((await dead.peek({})).messages.map(({ attempts }) => attempts)).toEqual([0]);
    expect(complaints).toEqual([]);
  });

  it('purges, when it is told twice', async () => {
    await transportTo('jobs').push({ body: 1 });
    await open();
    const answers: ('accept' | 'dismiss')[] = ['dismiss', 'accept'];
    page.on('dialog', (dialog) => void dialog[answers.shift() ?? 'dismiss']());
    const purge = section('jobs').getByRole('button', { name: 'Purge' });
    await purge.click();
    await expectText(counted('jobs', 'total'), '1');
    await purge.click();
    await expectText(counted('jobs', 'total'), '0');
    expect(complaints).toEqual([]);
  });

  it('asks for the token, and shows nothing without it', async () => {
    await transportTo('jobs').push({ body: 'secret' });
    await page.goto(address());
    await page.evaluate("sessionStorage.removeItem('token')");
    await page.reload();
    await page.getByLabel('API token').waitFor();
    expect(await page.content()).not.toContain('secret');
    await page.getByLabel('API token').fill(served.apiToken);
    await page.getByRole('button', { name: 'Open' }).click();
    await expectText(counted('jobs', 'ready'), '1');
  });
});

describe('what the page asks for', () => {
  const headersOf = async (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(new URL(path, served.baseUrl), init);

  it('is its own files, from nowhere else, in no frame', async () => {
    for (const path of ['/', '/leasestream/page.js', '/leasestream/redrive.js', '/leasestream/page.css']) {
      const response = await headersOf(path);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(await response.text()).not.toMatch(/https?:\/\/|page-token/);
    }
  });

  it.each([
    ['/leasestream/queues', {}, 401],
    ['/leasestream/queues', { headers: { authorization: 'Bearer wrong' } }, 403],
    ['/leasestream/queues', { headers: { origin: 'http://evil.example', authorization: 'Bearer page-token' } }, 403],
    ['/', { headers: { origin: 'http://evil.example' } }, 403],
    ['/leasestream/queues', { method: 'POST', body: '{}', headers: { authorization: 'Bearer page-token' } }, 405],
    ['/leasestream/queues?messages=x', { headers: { authorization: 'Bearer page-token' } }, 400],
    ['/leasestream/queues?messages=1001', { headers: { authorization: 'Bearer page-token' } }, 400],
    ['/leasestream/queues?messages=0', { headers: { authorization: 'Bearer page-token' } }, 200],
    ['/leasestream/../package.json', { headers: { authorization: 'Bearer page-token' } }, 404],
    ['/leasestream/page.html', { headers: { authorization: 'Bearer page-token' } }, 404],
    ['/', { method: 'POST', headers: { authorization: 'Bearer page-token' } }, 404],
  ] as const)('is answered: %s %j with %i', async (path, init, status) => {
    expect((await headersOf(path, init)).status).toBe(status);
  });
});
