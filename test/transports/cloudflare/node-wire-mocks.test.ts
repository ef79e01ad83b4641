import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import type Nock from 'nock';
import { describe, expect, it } from 'vitest';
import { openTransport, token } from './fake-fetch.ts';

const result = { backlog_count: 7, backlog_bytes: 1, oldest_message_timestamp_ms: 2 };
const body = { success: true, errors: [], messages: [], result };
const path = '/client/v4/accounts/:account/queues/:queue/metrics';

describe('a call', () => {
  it('is answered by msw', async () => {
    const seen: (string | null)[] = [];
    const server = setupServer(
      http.get(`https://api.cloudflare.com${path}`, ({ request }) => {
        seen.push(request.headers.get('authorization'));
        return HttpResponse.json(body);
      }),
    );
    server.listen({ onUnhandledRequest: 'error' });
    await expect(openTransport({}).metrics()).resolves.toMatchObject({ backlogCount: 7 });
    server.close();
    expect(seen).toEqual([`Bearer ${token}`]);
  });

  // The one puts itself in the place of http.request and of fetch, the older one in that of http.request alone.
  it.each([
    ['nock', () => import('nock')],
    ['an older nock', () => import('nock-13') as unknown as Promise<{ default: typeof Nock }>],
  ])('is answered by %s', async (_, load) => {
    const { default: nock } = await load();
    nock.disableNetConnect();
    const scope = nock('https://api.cloudflare.com', { reqheaders: { authorization: `Bearer ${token}` } })
      .get(/\/metrics$/)
      .reply(200, body);
    await expect(openTransport({}).metrics()).resolves.toMatchObject({ backlogCount: 7 });
    expect(scope.isDone()).toBe(true);
    nock.restore();
  });
});
