import type { ManualClock } from '../../src/broker.ts';
import type { ApiHandler, ApiRequest } from '../../src/broker/http/api-exchange.ts';
import type { Fetch, FetchAnswer, FetchInit } from '../../src/transports/cloudflare/fetch.ts';
import { answerOf, type Fault, type FaultAnswer, obscure, type PlannedFault, reachesBroker } from './faults.ts';
import { seededRandom } from './seeded-random.ts';
import { never, type ProcessClock } from './process-clock.ts';
import type { Sequence } from './sequence.ts';

/** How long a message is on its way, in milliseconds, drawn anew for each. */
export interface Latency {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** One request as the network saw it: `open` for ever where its process vanished. Times are true times; `seq` tells the order of what happened at one time. */
export interface CallRecord {
  readonly client: number;
  readonly call: 'pull' | 'ack' | 'push' | 'other';
  readonly sentAt: number;
  readonly sentSeq: number;
  readonly fault: Fault | undefined;
  /** Of a pull: how many messages it asks for. */
  readonly ask: number;
  readonly visibilityTimeoutMs: number;
  /** Of a settlement: its lease ids. */
  readonly acks: readonly string[];
  readonly retries: readonly string[];
  /** Of a push: its bodies, as JSON. */
  readonly pushes: readonly string[];
  /** When the broker carried it out; `undefined` when it did not, or not yet. */
  appliedAt: number | undefined;
  /** Of a pull: the lease ids of what the broker gave, whether or not the client ever saw it. */
  readonly given: string[];
  /** `answered`: the client has an answer, of whatever status. `aborted`: it did not wait for one. */
  state: 'open' | 'answered' | 'failed' | 'aborted';
  endedAt: number;
  endedSeq: number;
  /** The lease ids in the answer that the client got. */
  received: readonly string[];
  /** The client got the broker's own answer, obscured or not, and can read it. */
  isUnderstood: boolean;
}

interface WireRequest {
  readonly batch_size?: number;
  readonly visibility_timeout_ms?: number;
  readonly acks?: readonly { readonly lease_id: string }[];
  readonly retries?: readonly { readonly lease_id: string }[];
  readonly body?: unknown;
  readonly messages?: readonly { readonly body: unknown }[];
}

interface NetworkOptions {
  readonly clock: ManualClock;
  readonly sequence: Sequence;
  /** The broker. */
  readonly handle: ApiHandler;
  readonly up: Latency;
  readonly down: Latency;
  readonly faults: readonly PlannedFault[];
  /** The share of all calls that fail, half of them before and half after they took effect. @defaultValue 0 */
  readonly failureRate?: number;
  readonly seed: number;
  /** Holds each request and each answer back for as long as it likes. @defaultValue not at all */
  readonly hold?: ((what: string) => Promise<void>) | undefined;
}

/** A network between clients and a broker, on a manual clock: it delays, loses, repeats and garbles by a script. */
export class SimulatedNetwork {
  readonly records: CallRecord[] = [];
  readonly #options: NetworkOptions;
  readonly #counts = new Map<string, number>();
  readonly #random: () => number;

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  /**
   * The `fetch` of one client. Once its process has vanished nothing is sent and no answer arrives; what was sent before does.
   *
   * @param planned - as which client of the schedule: faults befall this one's calls
   */
  clientFetch(client: number, planned: number, process: ProcessClock): Fetch {
    return (url, init) => {
      if (process.hasVanished) return never();
      return new Promise((resolve, reject) => {
        const record = this.#record(client, planned, { url, init });
        this.records.push(record);
        new Exchange(this, record, { url, init, resolve, reject, process }).begin();
      });
    };
  }

  /** Requests of a client's consumer that are under way: a push to another queue is that queue's. */
  open(client: number): readonly CallRecord[] {
    return this.records.filter(
      (record) => record.client === client && record.state === 'open' && record.call !== 'push',
    );
  }

  get clock(): ManualClock {
    return this.#options.clock;
  }

  get sequence(): Sequence {
    return this.#options.sequence;
  }

  get handle(): ApiHandler {
    return this.#options.handle;
  }

  /** Calls back when what was sent in this direction arrives. */
  travel(direction: 'up' | 'down', { client, call }: CallRecord, extraMs: number, arrive: () => void): void {
    const { hold } = this.#options;
    if (hold === undefined) this.clock.setTimer(arrive, this.#draw(direction) + extraMs);
    else void hold(`${call} of client ${client} ${direction === 'up' ? 'arrives' : 'is answered'}`).then(arrive);
  }

  /** How long the next message is on its way. */
  #draw(direction: 'up' | 'down'): number {
    const { leastMs, mostMs } = this.#options[direction];
    return leastMs === mostMs ? leastMs : leastMs + Math.round(this.#random() * (mostMs - leastMs));
  }

  #record(client: number, planned: number, { url, init }: Pick<Ends, 'url' | 'init'>): CallRecord {
    const call = callOf(url);
    const request = JSON.parse(init.body ?? '{}') as WireRequest;
    return {
      client,
      call,
      sentAt: this.clock.now(),
      sentSeq: this.sequence.next(),
      fault: this.#fate(planned, call),
      ask: request.batch_size ?? 5,
      visibilityTimeoutMs: request.visibility_timeout_ms ?? 0,
      acks: (request.acks ?? []).map((ack) => ack.lease_id),
      retries: (request.retries ?? []).map((retry) => retry.lease_id),
      pushes: call === 'push' ? (request.messages ?? [request]).map(({ body }) => JSON.stringify(body)) : [],
      appliedAt: undefined,
      given: [],
      state: 'open',
      endedAt: Infinity,
      endedSeq: Infinity,
      received: [],
      isUnderstood: false,
    };
  }

  #fate(client: number, call: CallRecord['call']): Fault | undefined {
    const key = `${client} ${call}`;
    const nth = this.#counts.get(key) ?? 0;
    this.#counts.set(key, nth + 1);
    const planned = this.#options.faults.find(
      (fault) => fault.client === client && fault.call === call && nth >= fault.nth && nth < fault.nth + fault.times,
    );
    if (planned !== undefined) return planned.fault;
    const { failureRate = 0 } = this.#options;
    if (failureRate === 0 || this.#random() >= failureRate) return undefined;
    return { type: this.#random() < 0.5 ? 'request-dropped' : 'answer-dropped' };
  }
}

function callOf(url: string): CallRecord['call'] {
  if (url.endsWith('/pull')) return 'pull';
  if (url.endsWith('/ack')) return 'ack';
  return url.endsWith('/messages') || url.endsWith('/batch') ? 'push' : 'other';
}

interface Ends {
  readonly url: string;
  readonly init: FetchInit;
  readonly resolve: (answer: FetchAnswer) => void;
  readonly reject: (error: unknown) => void;
  readonly process: ProcessClock;
}

/** One request on its way there and back. */
class Exchange {
  readonly #network: SimulatedNetwork;
  readonly #record: CallRecord;
  readonly #ends: Ends;

  constructor(network: SimulatedNetwork, record: CallRecord, ends: Ends) {
    this.#network = network;
    this.#record = record;
    this.#ends = ends;
  }

  begin(): void {
    this.#ends.init.signal.addEventListener('abort', this.#onAbort);
    const extraMs = this.#record.fault?.type === 'slow' ? this.#record.fault.upMs : 0;
    this.#network.travel('up', this.#record, extraMs, () => this.#arrive());
  }

  // What has been sent can't be called back: the broker may still carry it out.
  readonly #onAbort = (): void => this.#end('aborted', () => this.#ends.reject(this.#ends.init.signal.reason));

  #arrive(): void {
    const { fault } = this.#record;
    if (reachesBroker(fault)) void this.#apply();
    else if (fault?.type === 'request-dropped') this.#fail();
    else if (fault !== undefined && fault.type !== 'request-hangs') this.#return(answerOf(fault));
  }

  async #apply(): Promise<void> {
    const { fault } = this.#record;
    let text = '';
    let status = 200;
    for (let times = fault?.type === 'doubled' ? 2 : 1; times > 0; times -= 1) {
      this.#record.appliedAt = this.#network.clock.now();
      ({ status, text } = await this.#network.handle(toApiRequest(this.#ends)));
      this.#record.given.push(...leasesIn(text));
    }
    if (fault?.type === 'answer-dropped') this.#network.travel('down', this.#record, 0, () => this.#fail());
    else if (fault?.type === 'obscured' && status === 200) this.#return({ status, text: obscure(text, fault.how) });
    else if (fault?.type !== 'answer-hangs') {
      this.#return((fault && answerOf(fault)) ?? { status, text });
    }
  }

  #return(answer: FaultAnswer | undefined): void {
    if (answer === undefined) return;
    const extraMs = this.#record.fault?.type === 'slow' ? this.#record.fault.downMs : 0;
    this.#network.travel('down', this.#record, extraMs, () => {
      this.#end('answered', () => {
        this.#record.isUnderstood = answer.status === 200 && answer.text.startsWith('{');
        this.#record.received = leasesIn(answer.text);
        this.#ends.resolve(toFetchAnswer(answer));
      });
    });
  }

  #fail(): void {
    this.#end('failed', () => this.#ends.reject(new TypeError('fetch failed')));
  }

  #end(state: CallRecord['state'], act: () => void): void {
    if (this.#record.state !== 'open' || this.#ends.process.hasVanished) return;
    this.#record.state = state;
    this.#record.endedAt = this.#network.clock.now();
    this.#record.endedSeq = this.#network.sequence.next();
    this.#ends.init.signal.removeEventListener('abort', this.#onAbort);
    act();
  }
}

/** As little of a Request as is looked at, for the same reason as below. */
function toApiRequest({ url, init: { method, headers, body } }: Ends): ApiRequest {
  return { method, url, headers, body: null, text: () => Promise.resolve(body ?? '') };
}

function leasesIn(text: string): string[] {
  if (!text.startsWith('{')) return [];
  const { result } = JSON.parse(text) as { result?: { messages?: readonly { lease_id: string }[] } | null };
  return (result?.messages ?? []).map((message) => message.lease_id);
}

/** As little of a Response as is read: the real one costs more than all the rest. */
function toFetchAnswer({ status, text, retryAfterSeconds }: FaultAnswer): FetchAnswer {
  const retryAfter = retryAfterSeconds === undefined ? null : String(retryAfterSeconds);
  return {
    status,
    headers: { get: (name) => (name.toLowerCase() === 'retry-after' ? retryAfter : null) },
    text: () => Promise.resolve(text),
  };
}
