import { vi } from 'vitest';
import { createBroker } from '../../src/broker.ts';
import { createCloudflareTransport } from '../../src/cloudflare.ts';
import { ConnectProxy } from '../proxies/connect-proxy.ts';

/** What the queue of every example holds when the example starts. */
const bodies = ['first', 'second', 'third'].map((id, index) => ({
  id,
  to: `${id}@example.com`,
  url: `https://example.com/${id}`,
  amount: index + 1,
}));

/**
 * Runs an example against a broker of its own on the loopback interface. The environment names the broker
 * (`CLOUDFLARE_ACCOUNT_ID`, `CLOUDFLARE_API_TOKEN`, `CLOUDFLARE_BASE_URL`) and a queue that holds a few messages
 * (`QUEUE_ID`), an empty one (`ARCHIVE_QUEUE_ID`), and a proxy (`HTTPS_PROXY`, `HTTP_PROXY`), which it need not use. An example that consumes for ever ends, too: its `fetch` breaks once the queue stays empty.
 *
 * @returns how many tunnels the proxy was asked for
 * @throws what the example throws, unless that is why
 */
export async function runExample(example: () => Promise<unknown>): Promise<{ readonly tunnels: number }> {
  await using proxy = await ConnectProxy.listen();
  const server = await createBroker().listen();
  try {
    const queue = server.queue('jobs');
    await createCloudflareTransport(queue).bulkPush({ messages: bodies.map((body) => ({ body })) });
    vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', queue.accountId);
    vi.stubEnv('CLOUDFLARE_API_TOKEN', queue.apiToken);
    vi.stubEnv('CLOUDFLARE_BASE_URL', queue.baseUrl);
    vi.stubEnv('QUEUE_ID', queue.queueId);
    vi.stubEnv('ARCHIVE_QUEUE_ID', server.queue('archive').queueId);
    vi.stubEnv('HTTPS_PROXY', proxy.url());
    vi.stubEnv('HTTP_PROXY', proxy.url());
    vi.stubEnv('NO_PROXY', 'example.com');
    for (const name of ['https_proxy', 'http_proxy', 'no_proxy']) vi.stubEnv(name, undefined);
    for (const method of ['log', 'info', 'warn', 'error', 'table'] as const) {
      vi.spyOn(console, method).mockImplementation(() => {});
    }
    const isBroken = breakWhenEmpty();
    await example().catch((error: unknown) => {
      if (!isBroken() || (error as { code?: unknown }).code !== 'transport-failed') throw error;
    });
    return { tunnels: proxy.requests.filter(({ method }) => method === 'CONNECT').length };
  } finally {
    await server.close();
  }
}

/** So many pulls of one queue bring nothing before an example that goes on is ended: each `stopWhenEmpty` takes one. */
const mostEmptyPulls = 3;

/** Reads the answer to a pull from a queue that stays empty before anybody else can, and gives back whether it did. */
function breakWhenEmpty(): () => boolean {
  const { fetch } = globalThis;
  let isBroken = false;
  const emptyPulls = new Map<string, number>();
  vi.stubGlobal('fetch', async (...request: Parameters<typeof fetch>): Promise<Response> => {
    const [input] = request;
    const url = input instanceof Request ? input.url : String(input);
    const response = await fetch(...request);
    if (!url.endsWith('/messages/pull') || !response.ok) return response;
    const { result } = (await response.clone().json()) as {
      result: { message_backlog_count: number; messages: unknown[] };
    };
    if (result.messages.length > 0 || result.message_backlog_count > 0) return response;
    emptyPulls.set(url, (emptyPulls.get(url) ?? 0) + 1);
    if ((emptyPulls.get(url) ?? 0) < mostEmptyPulls) return response;
    isBroken = true;
    await response.text();
    return response;
  });
  return () => isBroken;
}
