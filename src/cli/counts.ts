import type { QueueCounts } from '../broker/queue/queue-counts.ts';

/** What `GET /leasestream/counts` tells. */
export interface BrokerCounts {
  /** On the broker's clock. */
  readonly now: number;
  readonly queues: readonly (QueueCounts & { readonly id: string; readonly name: string })[];
}

type Answer = (request: Request) => Promise<Response>;

/**
 * Asks the broker, with the credentials of a request.
 *
 * @returns its refusal, when those are wrong
 */
export async function askCounts(headers: Headers, broker: Answer): Promise<BrokerCounts | Response> {
  const credentials = ['authorization', 'x-auth-email', 'x-auth-key'].flatMap((name): [string, string][] => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value]];
  });
  const answer = await broker(new Request('http://broker.invalid/leasestream/counts', { headers: credentials }));
  if (!answer.ok) return answer;
  const { result } = (await answer.json()) as { readonly result: BrokerCounts };
  return result;
}
