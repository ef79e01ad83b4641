// The broker in a process of its own: what it costs is not the contenders' cost. Spoken to by messages of its parent:
// opens a queue with so many messages, and answers with its connection; each answer of its HTTP API takes its time.
import { setTimeout as sleep } from 'node:timers/promises';
import { createBroker } from '../src/broker.ts';
import { listen } from '../src/broker/http/listen.ts';
import { handlerOf } from '../src/broker/in-memory-broker.ts';
import { bodyOf, type Scenario } from './scenario.ts';

/** What the parent asks for. */
export interface FillRequest extends Scenario {
  readonly name: string;
  readonly messages: number;
}

let broker = createBroker();
let roundTripMs = 0;
const { origin } = await listen(async (request) => {
  if (roundTripMs > 0) await sleep(roundTripMs / 2);
  const answer = await handlerOf(broker)(request);
  if (roundTripMs > 0) await sleep(roundTripMs / 2);
  return answer;
});

process.on('message', (request: FillRequest) => {
  ({ roundTripMs } = request);
  // What is left of the last contender's messages must not burden the next one.
  broker = createBroker();
  const { accountId, queueId, apiToken } = broker.queue(request.name, { maxRetries: 100 });
  for (let n = 0; n < request.messages; n += 1) broker.push(request.name, { body: bodyOf(n, request.bodyBytes) });
  process.send?.({ accountId, queueId, apiToken, baseUrl: `${origin}/client/v4` });
});
