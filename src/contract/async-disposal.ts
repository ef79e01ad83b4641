/**
 * What `await using` closes: the platform's `AsyncDisposable` where the compiler's libraries know of it, as
 * `ESNext.Disposable` and Node's types do, and nothing where they don't.
 */
export type AsyncDisposal = SymbolConstructor extends { readonly asyncDispose: infer Key extends symbol }
  ? { readonly [Name in Key]: () => PromiseLike<void> }
  : object;
