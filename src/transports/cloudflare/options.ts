import { wire } from '#wire';
import { checkFunction, checkOptions, show } from '../../contract/check-options.ts';
import type { Clock } from '../../contract/clock.ts';
import { systemClock } from '../../contract/system-clock.ts';
import { readBaseUrl } from './base-url.ts';
import { findProxy, proxyHint, proxyingRuntime } from './environment-proxy.ts';
import type { Fetch, Wire } from './fetch.ts';
import { checkHooks, type HttpHooks } from './http-hooks.ts';

/**
 * Where a queue is, and who asks. Text options lose the white space around them, as it comes with pasted secrets and
 * files; an environment variable that is empty counts as absent.
 */
export interface CloudflareTransportOptions {
  /**
   * The id of the account: letters, digits, `_` and `-`; 32 hex characters at Cloudflare.
   *
   * @defaultValue the environment's `CLOUDFLARE_ACCOUNT_ID`
   */
  readonly accountId?: string;
  /** The id of the queue, not its name: `npx wrangler queues list` shows it. In the form of `accountId`. */
  readonly queueId: string;
  /**
   * An API token with the permissions Queues Read and Queues Write.
   *
   * @defaultValue the environment's `CLOUDFLARE_API_TOKEN`, when neither `email` nor `apiKey` is given
   */
  readonly apiToken?: string;
  /**
   * The user of the global API key.
   *
   * @defaultValue the environment's `CLOUDFLARE_EMAIL`
   */
  readonly email?: string;
  /**
   * The global API key, an older way to authenticate. Goes with `email`, and not with `apiToken`.
   *
   * @defaultValue the environment's `CLOUDFLARE_API_KEY`
   */
  readonly apiKey?: string;
  /**
   * The address of the API. Plain `http` is for loopback hosts only, since the credential would go in clear.
   *
   * @defaultValue the environment's `CLOUDFLARE_BASE_URL`, else `'https://api.cloudflare.com/client/v4'`
   */
  readonly baseUrl?: string;
  /**
   * Makes the requests. What it throws is read as the answer that it carries as `response`, where it does, as the errors of
   * ky, ofetch, axios and got do for a status.
   *
   * @defaultValue `globalThis.fetch`, looked up at each call. On Node its own HTTP client, which takes a third of the CPU
   * time, unless `globalThis.fetch` was replaced, a dispatcher of undici's was set, as for a proxy, or somebody listens to
   * `undici:request:create`: then `fetch` as well
   */
  readonly fetch?: Fetch;
  /** Hooks for each request, in the terms of ofetch. **They see the credential.** @defaultValue none */
  readonly http?: HttpHooks;
  /** Times the deadlines of the calls. @defaultValue the system's */
  readonly clock?: Clock;
}

/** The names of the options. */
export const connectionOptions: readonly (keyof CloudflareTransportOptions)[] = [
  'accountId',
  'queueId',
  'apiToken',
  'email',
  'apiKey',
  'baseUrl',
  'fetch',
  'http',
  'clock',
];

/** The options, checked and complete. */
export interface CloudflareConnection {
  readonly accountId: string;
  readonly queueId: string;
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly authHeaders: Readonly<Record<string, string>>;
  /** What must never be seen in a message. */
  readonly secrets: readonly string[];
  readonly fetch: Wire;
  readonly http: HttpHooks | undefined;
  readonly clock: Clock;
  /** Ends the messages of failures that what is on the way to the service may have caused. */
  readonly wayHint: string;
}

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Checks the options of a queue and completes them from the environment, which is read here and never later.
 *
 * @throws TypeError naming the option, its rule and its value; never the value of a credential
 */
export function resolveConnection(
  options: CloudflareTransportOptions,
  environment: Environment = processEnvironment(),
): CloudflareConnection {
  checkOptions('open a queue', options);
  const { fetch = wire, http, clock = systemClock } = options;
  checkFunction('open a queue', 'fetch', fetch);
  checkHooks(http);
  const accountId = options.accountId ?? fromEnvironment(environment, 'CLOUDFLARE_ACCOUNT_ID');
  const baseUrl = options.baseUrl ?? fromEnvironment(environment, 'CLOUDFLARE_BASE_URL');
  const checkedUrl = readBaseUrl(baseUrl ?? 'https://api.cloudflare.com/client/v4');
  return {
    accountId: readId('accountId', accountId, " (or the environment's CLOUDFLARE_ACCOUNT_ID)"),
    queueId: readId('queueId', options.queueId, ''),
    baseUrl: checkedUrl,
    ...readCredential(options, environment),
    fetch,
    http,
    clock,
    // Where a fetch of the user's goes is not known.
    wayHint: options.fetch === undefined ? hintOfWay(new URL(checkedUrl), environment) : '',
  };
}

/** Names the proxy that the runtime's own fetch goes through, if it does. */
function hintOfWay(url: URL, environment: Environment): string {
  const read = (name: string): string | undefined => readVariable(environment, name);
  const runtime = proxyingRuntime(read);
  const proxy = runtime && findProxy(url, read, runtime === 'node');
  return proxy ? proxyHint(proxy, url) : '';
}

/** The process's environment where there is one; empty where there is none, or where it may not be read. */
function processEnvironment(): Environment {
  const { process } = globalThis as { readonly process?: { readonly env?: Environment } };
  return process?.env ?? {};
}

function fromEnvironment(environment: Environment, name: string): string | undefined {
  const value = readVariable(environment, name)?.trim();
  return value === '' ? undefined : value;
}

function readVariable(environment: Environment, name: string): string | undefined {
  try {
    return environment[name];
  } catch {
    // Deno throws where it may not read the variable.
    return undefined;
  }
}

function readId(name: string, value: unknown, source: string): string {
  const id = typeof value === 'string' ? value.trim() : '';
  if (/^[\w-]+$/.test(id)) return id;
  throw new TypeError(
    `Cannot open a queue as '${name}'${source} must be an id of letters, digits, '_' and '-': current value is ${show(value)}`,
  );
}

type Credential = Pick<CloudflareConnection, 'authHeaders' | 'secrets'>;

/** What is given wins over the environment as a whole: a token there is not mixed with an e-mail here. */
function readCredential(options: CloudflareTransportOptions, environment: Environment): Credential {
  const { apiToken, email, apiKey } = options;
  const pairGiven = email !== undefined || apiKey !== undefined;
  if (apiToken !== undefined && pairGiven) {
    throw new TypeError("Cannot open a queue as 'apiToken' must not be given together with 'email' and 'apiKey'");
  }
  const token = apiToken ?? (pairGiven ? undefined : fromEnvironment(environment, 'CLOUDFLARE_API_TOKEN'));
  if (token !== undefined) return tokenCredential(readSecret('apiToken', token));
  const user = email ?? fromEnvironment(environment, 'CLOUDFLARE_EMAIL');
  const key = apiKey ?? fromEnvironment(environment, 'CLOUDFLARE_API_KEY');
  if (user === undefined && key === undefined) {
    throw new TypeError(
      "Cannot open a queue as 'apiToken', or 'email' and 'apiKey', must be given (or be in the environment as CLOUDFLARE_API_TOKEN, or CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY): current value is undefined",
    );
  }
  return keyCredential(readSecret('email', user), readSecret('apiKey', key));
}

function tokenCredential(token: string): Credential {
  return { authHeaders: { authorization: `Bearer ${token}` }, secrets: [token] };
}

function keyCredential(email: string, key: string): Credential {
  return { authHeaders: { 'x-auth-email': email, 'x-auth-key': key }, secrets: [email, key] };
}

// Checked here, since the platform's own error for a header that it can't send quotes the header.
function readSecret(name: string, value: unknown): string {
  const secret = typeof value === 'string' ? value.trim() : '';
  if (/^[\x21-\x7e]+$/.test(secret)) return secret;
  const current = typeof value === 'string' && value.length > 0 ? 'not shown' : value === '' ? 'empty' : typeof value;
  throw new TypeError(
    `Cannot open a queue as '${name}' must be a text of printable ASCII characters without spaces: current value is ${current}`,
  );
}
