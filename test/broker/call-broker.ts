import { type Broker, type BrokerOptions, createBroker, ManualClock, type QueueSettings } from '../../src/broker.ts';

/** An answer, read. */
export interface Answer {
  readonly status: number;
  readonly contentType: string | null;
  readonly text: string;
  // The JSON of an answer is whatever the test says it is.
  readonly json: any; // oxlint-disable-line typescript/no-explicit-any
}

export interface CalledBroker {
  readonly broker: Broker;
  readonly clock: ManualClock;
  readonly queueUrl: string;
  /** Posts JSON (or a string as it is) to a path of the queue. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  get(path: string): Promise<Answer>;
  /** Sends any request, with the right credentials unless it has its own. */
  send(url: string, init?: RequestInit): Promise<Answer>;
}

/** A broker with a queue named `jobs`, on a clock that starts at 1 000 000, and its HTTP side. */
export function callBroker(settings: QueueSettings = {}, options: BrokerOptions = {}): CalledBroker {
  const clock = new ManualClock({ now: 1_000_000 });
  const broker = createBroker({ clock, ...options });
  const { accountId, queueId, apiToken, baseUrl, fetch } = broker.queue('jobs', settings);
  const queueUrl = `${baseUrl}/accounts/${accountId}/queues/${queueId}`;
  const send = async (url: string, init: RequestInit = {}): Promise<Answer> => {
    const headers = init.headers ?? { authorization: `Bearer ${apiToken}` };
    const response = await fetch(url, { ...init, headers });
    const text = await response.text();
    return { status: response.status, contentType: response.headers.get('content-type'), text, json: JSON.parse(text) };
  };
  return {
    broker,
    clock,
    queueUrl,
    send,
    get: (path) => send(queueUrl + path),
    post: (path, body, headers) =>
      send(queueUrl + path, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...(headers && { headers }),
      }),
  };
}
