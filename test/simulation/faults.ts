/** The ways in which one request of a simulated network can go wrong. */
export type Fault =
  /** Lost on its way to the broker; the client sees a network error. */
  | { readonly type: 'request-dropped' }
  /** Lost on its way to the broker; the client hears nothing. */
  | { readonly type: 'request-hangs' }
  /** Carried out; the client sees a network error. */
  | { readonly type: 'answer-dropped' }
  /** Carried out; the client hears nothing. */
  | { readonly type: 'answer-hangs' }
  /** Refused by the API or the queue for being too much. */
  | { readonly type: 'limited'; readonly code: 971 | 10_429 | 10_250 | 10_251; readonly retryAfterSeconds: number }
  /** Refused by the service, in its envelope: a push for good, all else until it is asked again for a while. */
  | { readonly type: 'refused'; readonly status: 400 | 403 | 404 }
  /** The service fails before or after it carried the request out. */
  | { readonly type: 'failed'; readonly status: 500 | 503; readonly applied: boolean }
  /** A page in place of JSON, by something on the way, before or after the request was carried out. */
  | { readonly type: 'html'; readonly status: StrayStatus; readonly applied: boolean }
  /** So much longer on the way to the broker and back. */
  | { readonly type: 'slow'; readonly upMs: number; readonly downMs: number }
  /** The answer to a settlement does not say all; see {@link Obscurity}. */
  | { readonly type: 'obscured'; readonly how: Obscurity }
  /** A network that repeats the request; the client gets the second answer. */
  | { readonly type: 'doubled' };

/** The statuses of what is not the service's answer. */
export type StrayStatus = 200 | 302 | 400 | 403 | 404 | 413 | 502;

const codes = { 400: 10_026, 403: 10_000, 404: 11_000 } as const;

/**
 * How the answer to a settlement can be obscured. Never counts and warnings at once: who gets neither can't know.
 *
 * - `fewer`: counts one less than were taken
 * - `no-counts`: no count; warnings by lease
 * - `no-warnings`: no warnings; true counts
 * - `list`: warnings as a list of texts
 */
export type Obscurity = 'fewer' | 'no-counts' | 'no-warnings' | 'list';

/** A fault of some requests of one client: from the `nth` of its kind on, `times` of them in a row. */
export interface PlannedFault {
  readonly client: number;
  readonly call: 'pull' | 'ack' | 'push';
  /** 0 for the first. */
  readonly nth: number;
  readonly times: number;
  readonly fault: Fault;
}

/** What the client gets in place of the broker's answer. */
export interface FaultAnswer {
  readonly status: number;
  readonly text: string;
  readonly retryAfterSeconds?: number;
}

/** The answer to a request that the fault did not let through, or whose answer it replaced. */
export function answerOf(fault: Fault): FaultAnswer | undefined {
  switch (fault.type) {
    case 'limited': {
      const { code, retryAfterSeconds } = fault;
      return { status: 429, text: refusal(code, 'slow down'), retryAfterSeconds };
    }
    case 'refused':
      return { status: fault.status, text: refusal(codes[fault.status], 'not like this') };
    case 'failed':
      return { status: fault.status, text: refusal(15_000, 'unknown internal error') };
    case 'html':
      return { status: fault.status, text: '<html><body>Bad gateway</body></html>' };
    case 'request-dropped':
    case 'request-hangs':
    case 'answer-dropped':
    case 'answer-hangs':
    case 'slow':
    case 'obscured':
    case 'doubled':
      return undefined;
  }
}

function refusal(code: number, message: string): string {
  return JSON.stringify({ success: false, errors: [{ code, message }], messages: [], result: null });
}

/** Whether the broker carries the request out. */
export function reachesBroker(fault: Fault | undefined): boolean {
  switch (fault?.type) {
    case 'request-dropped':
    case 'request-hangs':
    case 'limited':
    case 'refused':
      return false;
    case 'failed':
    case 'html':
      return fault.applied;
    default:
      return true;
  }
}

interface AckEnvelope {
  readonly result: { ackCount?: number; retryCount?: number; warnings?: Record<string, string> | string[] | null };
}

/** Obscures the answer to a settlement. */
export function obscure(text: string, how: Obscurity): string {
  const envelope = JSON.parse(text) as AckEnvelope;
  const { result } = envelope;
  if (how === 'fewer') {
    if ((result.ackCount ?? 0) > 0) result.ackCount = (result.ackCount ?? 0) - 1;
    else result.retryCount = (result.retryCount ?? 0) - 1;
  } else if (how === 'no-counts') {
    delete result.ackCount;
    delete result.retryCount;
  } else if (how === 'no-warnings') {
    result.warnings = null;
  } else {
    result.warnings = Object.values(result.warnings ?? {});
  }
  return JSON.stringify(envelope);
}
