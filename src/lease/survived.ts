import { RecentIds } from './recent-ids.ts';

/** How many ids are remembered: of what is retried lately, with delays of minutes. */
const rememberedIds = 10_000;

interface Identified {
  readonly id: string;
  readonly hash: number;
}

/** Messages whose handler ended before they were retried: none of them ends a process. */
export class Survived {
  /** Made with the first: its tables are larger than all else of a consumer that has nothing to do. */
  #ids: RecentIds | undefined = undefined;

  add({ id, hash }: Identified): void {
    this.#ids ??= new RecentIds(rememberedIds);
    this.#ids.add(id, hash);
  }

  has({ id, hash }: Identified): boolean {
    return this.#ids?.has(id, hash) === true;
  }
}
