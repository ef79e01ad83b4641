import type {
  ConsumerEvent,
  ObservedConsumer,
  ObservedMessage,
  ObservedQueue,
  Observer,
  Operation,
  Processing,
  ReceiveEnd,
  Sending,
  SettleEnd,
} from '../../src/index.ts';

/** An operation as an observer was told of it. */
export interface Told {
  readonly name: 'send' | 'receive' | 'process' | 'settle';
  readonly start: Readonly<Record<string, unknown>>;
  /** What it ended with; empty while it goes on. */
  readonly ends: Readonly<Record<string, unknown>>[];
  /** How often work was done in its context. */
  runs: number;
}

/** Notes all that an observer is told. */
export class Recorder implements Observer {
  readonly told: Told[] = [];
  readonly events: ConsumerEvent[] = [];
  readonly consumers: ObservedConsumer[] = [];
  readonly opened: string[] = [];

  open({ name }: ObservedQueue): void {
    this.opened.push(name);
  }

  consume(consumer: ObservedConsumer): void {
    this.consumers.push(consumer);
  }

  event(event: ConsumerEvent): void {
    this.events.push(event);
  }

  send(start: object): Sending {
    return this.#begin('send', start);
  }

  receive(start: object): Operation<ReceiveEnd> {
    return this.#begin('receive', start);
  }

  process(start: object): Processing {
    return this.#begin('process', start);
  }

  settle(start: object): Operation<SettleEnd> {
    return this.#begin('settle', start);
  }

  #begin(name: Told['name'], start: object): { run(work: () => void): void; end(how: object): void } {
    const told: Told = { name, start: { ...start }, ends: [], runs: 0 };
    this.told.push(told);
    return {
      run(work) {
        told.runs += 1;
        work();
      },
      end: (how) => void told.ends.push({ ...how }),
    };
  }

  of(name: Told['name']): Told[] {
    return this.told.filter((told) => told.name === name);
  }

  /** The ids of the messages of each work. */
  get processed(): string[][] {
    return this.of('process').map(({ start }) => (start['messages'] as ObservedMessage[]).map(({ id }) => id));
  }
}
