/**
 * The part of the Standard Schema interface that this library uses: zod, valibot, arktype and others have it.
 *
 * @see https://standardschema.dev
 */
export interface Schema<Output = unknown, Input = unknown> {
  /**
   * What every Standard Schema has, of version 1: who made it, how it judges a value, and, for compilers alone, its types.
   */
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a schema says of a value: the value as it should be, or what is wrong with it. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: ReadonlyArray<SchemaIssue> };

/** One thing that is wrong with a value. */
export interface SchemaIssue {
  /** For people. */
  readonly message: string;
  /** Where in the value it is: keys from the outermost to the innermost. */
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}
