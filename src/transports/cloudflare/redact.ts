/** Takes every credential out of a text that others wrote. */
export type Redact = (text: string) => string;

/**
 * Gives back a function that replaces each secret, and the forms it takes in URLs and JSON, by `[redacted]`. The
 * longest go first, so that no rest of one is left where another is a part of it.
 */
export function createRedact(secrets: readonly string[]): Redact {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret === '') continue;
    forms.add(secret).add(encodeURIComponent(secret)).add(JSON.stringify(secret).slice(1, -1));
  }
  const ordered = [...forms].toSorted((a, b) => b.length - a.length);
  return (text) => ordered.reduce((rest, form) => rest.replaceAll(form, '[redacted]'), text);
}

const deepestCause = 5;

/**
 * A copy of an error that a foreign `fetch` threw, safe to hand on: name, message and code of it and of its causes,
 * without the secrets. A copy, since such errors may carry the request with all its headers in any property.
 */
export function copyCause(error: unknown, redact: Redact, depth = 0): Error {
  const source = asFields(error);
  const message = redact(typeof source.message === 'string' ? source.message : String(error));
  const inner = source.cause ?? (Array.isArray(source.errors) ? (source.errors[0] as unknown) : undefined);
  const options =
    inner === undefined || depth >= deepestCause ? undefined : { cause: copyCause(inner, redact, depth + 1) };
  const copy = error instanceof TypeError ? new TypeError(message, options) : new Error(message, options);
  if (typeof source.name === 'string' && source.name !== copy.name) define(copy, 'name', redact(source.name));
  if (typeof source.code === 'string') define(copy, 'code', redact(source.code));
  return copy;
}

/** `fetch failed: connect ECONNREFUSED 127.0.0.1:9`, out of a copied error and its causes. */
export function describeCause(copy: Error): string {
  const parts = new Set<string>();
  for (let error: unknown = copy; error instanceof Error; error = error.cause) {
    const { code } = asFields(error);
    parts.add(error.message || (typeof code === 'string' ? code : error.name));
  }
  return [...parts].join(': ');
}

interface ErrorFields {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
}

function asFields(error: unknown): ErrorFields {
  return typeof error === 'object' && error !== null ? error : {};
}

function define(error: Error, name: string, value: string): void {
  Object.defineProperty(error, name, { value, configurable: true, writable: true, enumerable: name === 'code' });
}
