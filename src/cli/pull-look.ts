import { limits } from '../contract/limits.ts';
import { linesOf, type PullJob, type PullOutcome } from './pull-job.ts';
import { write } from './terminal.ts';

const most = limits.batchMessages;

const advice = `a look that leases nothing shows the first ${most} that are visible. --leave leases more, and gives them back, which counts as an attempt of each; --ack takes them out`;

/** `pull`: prints what can be seen without a lease, so that nothing changes. */
export async function pullLook(job: PullJob): Promise<PullOutcome> {
  const { raw, terminal, max = most } = job;
  const messages = await raw.peek(Math.min(max, most));
  await write(terminal, linesOf(messages, job));
  return { shown: messages.length, advice, isShort: messages.length === most && max > most, unsettled: 0 };
}
