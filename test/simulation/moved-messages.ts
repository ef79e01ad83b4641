import type { Invariant } from './invariant.ts';
import type { Ledger } from './ledger.ts';

/**
 * What was moved to another queue is there when it is said to be acked here; what is there is what was pushed here, as it
 * was pushed, and somebody moved it; and what is confirmed to be there is not pushed again.
 */
export const movedIsKept: Invariant = (ledger) => {
  const { pushed, inOtherQueue } = ledger.run;
  const wrong = ledger.run.clients.flatMap(({ client }) => movedBy(ledger, client));
  const known = new Set([...pushed.values()].map(({ contentType, body }) => JSON.stringify([contentType, body])));
  for (const { contentType, body } of inOtherQueue) {
    const text = JSON.stringify(body);
    if (!known.has(JSON.stringify([contentType, body]))) wrong.push(`the other queue has ${contentType} ${text}`);
  }
  return wrong;
};

function movedBy(ledger: Ledger, client: number): string[] {
  const wrong: string[] = [];
  const moves = new Map<string, number>();
  for (const { messageId, settles } of ledger.startsBy(client)) {
    const [first] = settles;
    if (first?.kind !== 'dead-letter' && first?.kind !== 'forward') continue;
    const body = ledger.bodyOf(messageId);
    moves.set(body, (moves.get(body) ?? 0) + 1);
    if (first.settlement?.outcome === 'acked' && !ledger.isMoved(messageId, first.settledSeq)) {
      wrong.push(`client ${client} was told that ${messageId} is acked, and the other queue has not got it`);
    }
  }
  const confirmed = ledger.callsBy(client, 'push').filter((call) => call.isUnderstood);
  for (const body of new Set(confirmed.flatMap((call) => call.pushes))) {
    const times = confirmed.filter((call) => call.pushes.includes(body)).length;
    const most = moves.get(body) ?? 0;
    if (times > most)
      wrong.push(`client ${client} pushed ${body} ${times} times with success, and moved it ${most} times`);
  }
  return wrong;
}
