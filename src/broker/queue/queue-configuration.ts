import type { SavedQueue } from '../durability/saved.ts';
import { consumerIdOf } from './identities.ts';
import type { QueueConsumer, WorkerConsumer } from './queue-consumer.ts';
import type { ResolvedSettings } from './settings.ts';

/** Which queue it is. */
export interface QueueIdentity {
  readonly name: string;
  readonly id: string;
  /** Its number among the queues that were made. @defaultValue 0, of those of format 1 */
  readonly serial?: number;
}

/** What is to be seen of it beside its name and its settings. */
export type QueueDetails = Pick<
  QueueConfiguration,
  'formerNames' | 'consumer' | 'createdAt' | 'modifiedAt' | 'purgedAt'
>;

/** Which queue it is and how it is set up: what there is of it without its messages. */
export class QueueConfiguration {
  readonly #id: string;
  readonly #serial: number;
  #name: string;
  #formerNames: readonly string[] = [];
  #settings: ResolvedSettings;
  #consumer: QueueConsumer | undefined = undefined;
  #consumersMade = 0;
  #createdAt: number;
  #modifiedAt: number;
  #purgedAt: number | undefined = undefined;

  constructor({ id, name, serial = 0 }: QueueIdentity, settings: ResolvedSettings, now: number) {
    this.#id = id;
    this.#serial = serial;
    this.#name = name;
    this.#settings = settings;
    this.#createdAt = now;
    this.#modifiedAt = now;
  }

  get name(): string {
    return this.#name;
  }

  /** Names that it had and no other queue has, the last one last. */
  get formerNames(): readonly string[] {
    return this.#formerNames;
  }

  get settings(): ResolvedSettings {
    return this.#settings;
  }

  /** The consumer, of HTTP pulls or a Worker; `undefined` while there is none. */
  get consumer(): QueueConsumer | undefined {
    return this.#consumer;
  }

  get createdAt(): number {
    return this.#createdAt;
  }

  /** When its settings were changed last, in milliseconds since the epoch. */
  get modifiedAt(): number {
    return this.#modifiedAt;
  }

  /** When all messages were purged last, in milliseconds since the epoch. */
  get purgedAt(): number | undefined {
    return this.#purgedAt;
  }

  /** @param worker - as `MessageQueue.configure()` takes it */
  configure(settings: ResolvedSettings, now: number, worker?: WorkerConsumer | null): void {
    this.#modifiedAt = now;
    this.#settings = settings;
    const employed = settings.httpPull ? undefined : worker === undefined ? this.#consumer?.worker : worker;
    const isConsumed = settings.httpPull || (employed !== undefined && employed !== null);
    this.#consumer = isConsumed ? this.#consumerWith(employed ?? undefined) : undefined;
  }

  rename(name: string, now: number): void {
    this.#modifiedAt = now;
    this.#formerNames = [...this.#formerNames.filter((former) => former !== name), this.#name];
    this.#name = name;
  }

  forgetName(name: string): void {
    this.#formerNames = this.#formerNames.filter((former) => former !== name);
  }

  /** Notes that all messages were purged. */
  notePurge(now: number): void {
    this.#purgedAt = now;
  }

  save(): SavedQueue {
    return {
      id: this.#id,
      serial: this.#serial,
      name: this.#name,
      formerNames: this.#formerNames,
      createdAt: this.#createdAt,
      modifiedAt: this.#modifiedAt,
      purgedAt: this.#purgedAt,
      settings: this.#settings,
      consumer: this.#consumer,
      consumersMade: this.#consumersMade,
    };
  }

  /** Makes a new one what was kept, but for the identity and the settings, which it was made with. */
  restore(saved: SavedQueue): void {
    this.#formerNames = saved.formerNames ?? [];
    this.#createdAt = saved.createdAt;
    this.#modifiedAt = saved.modifiedAt;
    this.#purgedAt = saved.purgedAt;
    this.#consumer = saved.consumer;
    this.#consumersMade = saved.consumersMade;
  }

  #consumerWith(worker: WorkerConsumer | undefined): QueueConsumer {
    if (this.#consumer !== undefined) return { ...this.#consumer, worker };
    this.#consumersMade += 1;
    return { id: consumerIdOf(this.#id, this.#consumersMade), createdAt: this.#modifiedAt, worker };
  }
}
