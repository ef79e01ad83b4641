import { askCounts, type BrokerCounts } from './counts.ts';
import { refuse } from './guard.ts';
import type { History } from './history.ts';
import { expose } from './prometheus.ts';

type Answer = (counts: BrokerCounts, history: History) => Promise<Response>;

const answers: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ['/leasestream/metrics', answerMetrics],
  ['/leasestream/history', (_, history) => Promise.resolve(answerHistory(history))],
]);

/**
 * What `serve` tells of its queues in numbers, to who has the token: to Prometheus, and to the page.
 *
 * @param broker - whom to ask whether the credentials are right, and for the numbers
 * @returns `undefined` for another address
 */
export async function answerNumbers(
  request: Request,
  history: History,
  broker: (request: Request) => Promise<Response>,
): Promise<Response | undefined> {
  const answer = answers.get(new URL(request.url).pathname);
  if (answer === undefined) return undefined;
  const counts = await askCounts(request.headers, broker);
  if (counts instanceof Response) return counts;
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return refuse(405, `Method ${request.method} not available for that URI`, { allow: 'GET, HEAD' });
  }
  return answer(counts, history);
}

async function answerMetrics(counts: BrokerCounts): Promise<Response> {
  const exposition = await expose(counts);
  if (exposition === undefined) {
    return refuse(501, 'This needs the package prom-client beside leasestream: npm install prom-client');
  }
  return new Response(exposition.text, { headers: { 'content-type': exposition.contentType } });
}

function answerHistory(history: History): Response {
  return Response.json({ success: true, errors: [], messages: [], result: { queues: history.read() } });
}
