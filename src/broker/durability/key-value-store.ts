/** A change of one entry of a {@link KeyValueStore}: its value, or that there is none any more. */
export type Write = readonly [key: string, value: string | undefined];

/** An ordered store of texts, as embedded databases are. */
export interface KeyValueStore {
  /** All entries, in the order of their keys. */
  entries(): AsyncIterable<readonly [key: string, value: string]>;
  /** Makes all changes or, after a crash, none of them. Resolves once they outlast a crash and a power cut. */
  write(changes: readonly Write[]): Promise<void>;
  close(): Promise<void>;
}
