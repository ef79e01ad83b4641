import type { Invariant } from './invariant.ts';

/** Nothing of a client goes on when its process has vanished: no handler, no request and no answer. */
export const vanishedIsGone: Invariant = (ledger) =>
  ledger.run.clients.flatMap(({ client, crashed }) => {
    if (crashed === undefined) return [];
    const isLater = (seq: number): boolean => seq > crashed.seq && seq < Infinity;
    const starts = ledger
      .startsBy(client)
      .filter(({ seq, endedSeq, settles }) => [seq, endedSeq, ...settles.map((settle) => settle.seq)].some(isLater));
    const calls = ledger.run.network.records
      .filter((call) => call.client === client)
      .filter(({ sentSeq, endedSeq }) => isLater(sentSeq) || isLater(endedSeq));
    return [
      ...starts.map(({ messageId }) => `client ${client} worked on ${messageId} after its process had vanished`),
      ...calls.map(({ call }) => `client ${client} sent a ${call}, or got its answer, after its process had vanished`),
    ];
  });
