import { describe, expect, it } from 'vitest';
import { type BrokerServer, createBroker } from '../../../src/broker.ts';

const page = 'http://localhost:5173';

function preflight({ baseUrl }: BrokerServer, origin: string): Promise<Response> {
  const asking = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' };
  return fetch(`${baseUrl}/accounts`, { method: 'OPTIONS', headers: { origin, ...asking } });
}

describe('allowOrigins()', () => {
  it('allows none unless it is told to', async () => {
    await using server = await createBroker().listen();
    expect((await preflight(server, page)).headers.get('access-control-allow-origin')).toBeNull();
    const answer = await fetch(`${server.baseUrl}/accounts`, { headers: { origin: page } });
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('allows those that it is told, and no other', async () => {
    await using server = await createBroker({ queues: { jobs: {} } }).listen({ allowedOrigins: [page] });
    const { headers, status } = await preflight(server, page);
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(page);
    expect(headers.get('access-control-allow-headers')).toBe('authorization');
    expect((await preflight(server, 'http://localhost:5174')).headers.get('access-control-allow-origin')).toBeNull();
    // Without the token it allows nothing.
    const refused = await fetch(`${server.baseUrl}/accounts`, { headers: { origin: page } });
    expect([refused.ok, refused.headers.get('access-control-allow-origin')]).toEqual([false, page]);
    expect(await refused.json()).toMatchObject({ success: false });
  });

  it.each([{ given: ['*'] }, { given: [`${page}/`] }, { given: ['localhost'] }, { given: [5] }, { given: page }])(
    'refuses to listen for $given',
    async ({ given }) => {
      const listening = createBroker().listen({ allowedOrigins: given as never });
      await expect(listening).rejects.toThrow("Cannot listen as 'allowedOrigins' must be a list of origins");
    },
  );
});
