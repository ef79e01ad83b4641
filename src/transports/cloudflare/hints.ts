import type { QueueErrorCode } from '../../contract/errors.ts';

/** What a hint is chosen by. */
export interface HintContext {
  readonly code: QueueErrorCode;
  /** The service's codes. */
  readonly codes: readonly number[];
  readonly queueId: string;
  /** Whether it was the service that answered. */
  readonly inEnvelope: boolean;
  /** What stands between here and the service. */
  readonly wayHint?: string | undefined;
}

/** What the user can do about a failure, in a sentence; empty when there is nothing to say. */
export function hintFor({ code, codes, queueId, inEnvelope, wayHint }: HintContext): string {
  const ofCode = codes.map((each) => codeHints.get(each)).find((hint) => hint !== undefined);
  if (ofCode !== undefined) return ofCode;
  if (!inEnvelope) return [...(passing.has(code) ? [] : [foreignHint]), ...(wayHint ? [wayHint] : [])].join(' ');
  if (code === 'not-found' || (code === 'refused' && mayBeName(queueId, codes))) return queueIdHint(queueId);
  return hints.get(code) ?? '';
}

/** A message that a hint follows where there is one. */
export function withHint(message: string, hint: string | undefined): string {
  return hint ? `${sentence(message)} ${hint}` : message;
}

export function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/** What comes from others as well as from the service, and means the same. */
const passing: ReadonlySet<QueueErrorCode> = new Set(['service-failed', 'rate-limited']);

const foreignHint =
  "It is not the service that says so: check that 'baseUrl' is the address of the API, and what stands between here and there.";

const hints: ReadonlyMap<QueueErrorCode, string> = new Map<QueueErrorCode, string>([
  [
    'pull-not-enabled',
    'The queue has no HTTP pull consumer, or has had it for a few seconds only: add one with `npx wrangler queues consumer http add <queue>`.',
  ],
  [
    'unauthorized',
    "The credential needs the account permissions Queues Read and Queues Write, also for a consumer (acknowledging writes), and must belong to the account of 'accountId'.",
  ],
  ['delivery-paused', 'Delivery is paused: resume it with `npx wrangler queues resume-delivery <queue>`.'],
]);

const codeHints: ReadonlyMap<number, string> = new Map([
  [7003, "Check 'accountId' and 'queueId': both are ids of 32 hex characters, not names."],
  [7000, "Check 'baseUrl', 'accountId' and 'queueId': no call has this address."],
  [6003, "'apiToken' (or 'email' and 'apiKey') is not in the form of a credential: check that it was copied whole."],
  [10202, 'A delay is 0 to 86 400 seconds.'],
  [10203, "A content type is 'text' or 'json', a delay 0 to 86 400 seconds."],
  [10204, 'A message is at most 128 000 bytes, metadata included.'],
  [10205, 'A batch is at most 256 000 bytes.'],
  [10206, 'A batch is 1 to 100 messages.'],
  [10207, "Push a string as text ({ contentType: 'text' }): the service refuses it as json."],
  [10251, 'The queue is full: purge it, or let it be consumed.'],
  [10252, 'The queue is disabled.'],
  [10253, "The free plan's operations of the day are used up."],
]);

// Not every refusal of a wrong queue id has a code of its own.
function mayBeName(queueId: string, codes: readonly number[]): boolean {
  return !isResourceId(queueId) && codes.every((code) => code === 0);
}

/** Whether a text has the form of a real account or queue id. */
function isResourceId(text: string): boolean {
  return /^[0-9a-f]{32}$/i.test(text);
}

function queueIdHint(queueId: string): string {
  const rule = "'queueId' must be the queue's id, not its name: `npx wrangler queues list` shows it";
  return isResourceId(queueId)
    ? `${rule}. 'accountId' must be the account that has it.`
    : `${rule}; ${JSON.stringify(queueId)} looks like a name.`;
}
