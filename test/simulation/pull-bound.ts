import type { Ledger } from './ledger.ts';
import type { ClientRun, PullNote } from './client.ts';

/**
 * The most that a consumer may have leased, asked for and not started when it sends a pull, worked out anew from what
 * its handlers and the network did: the judge shares no code with the engine, which would hide shared mistakes.
 */
export function pullBound(ledger: Ledger, { client, plan, surface }: ClientRun, note: PullNote): number {
  const starts = ledger.startsBy(client).filter((start) => start.seq < note.seq);
  const running = starts.filter((start) => start.endedSeq > note.seq);
  const ended = starts.filter((start) => start.endedSeq < note.seq).toSorted((a, b) => a.endedSeq - b.endedSeq);
  const concurrency = surface.concurrency?.(plan.maxInFlight) ?? 1;
  const idle = Math.max(0, concurrency - running.length);
  const usualMs = estimateMs(ended.map((start) => start.endedAt - start.at));
  const timeoutMs = ledger.run.schedule.visibilityTimeoutMs;
  const budgetMs = 0.5 * (timeoutMs - marginMs(timeoutMs, meanRoundTripMs(ledger, client, note)));
  const times = [
    ...running.map((start) => Math.max(usualMs, note.at - start.at)),
    ...Array.from({ length: idle }, () => usualMs),
  ];
  const startable = times.reduce((sum, handlerMs) => sum + Math.floor(budgetMs / handlerMs), 0);
  return Math.min(Math.max(idle, startable), Math.max(idle, 4 * ended.length), 1_000);
}

/** The smoothed mean (gain 1/8) plus four mean deviations, of gain 1/4 when they rise and 1/16 when they fall. */
function estimateMs(durations: readonly number[]): number {
  const [first = 0, ...later] = durations;
  let mean = first;
  let deviation = first / 2;
  for (const durationMs of later) {
    const error = durationMs - mean;
    const change = Math.abs(error) - deviation;
    mean += error / 8;
    deviation += change * (change > 0 ? 1 / 4 : 1 / 16);
  }
  return mean + 4 * deviation;
}

function meanRoundTripMs(ledger: Ledger, client: number, note: PullNote): number {
  const answered = ledger
    .callsBy(client, 'pull')
    .filter((call) => call.isUnderstood && call.endedSeq < note.seq)
    .toSorted((a, b) => a.endedSeq - b.endedSeq);
  const [first, ...later] = answered.map((call) => call.endedAt - call.sentAt);
  return later.reduce((mean, tookMs) => mean + (tookMs - mean) / 8, first ?? 0);
}

function marginMs(timeoutMs: number, roundTripMs: number): number {
  return Math.min(timeoutMs / 4, Math.max(timeoutMs / 20, 2 * roundTripMs));
}
