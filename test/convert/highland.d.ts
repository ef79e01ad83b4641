// It has no types of its own.
declare module 'highland' {
  const highland: (source: unknown) => unknown;
  export = highland;
}
