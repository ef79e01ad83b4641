import { findProxy, noProxyEntries } from '../transports/cloudflare/environment-proxy.ts';
import type { Environment } from '../transports/cloudflare/options.ts';

/** What the environment has to be for a server of this machine to be reached without the proxy. */
export interface NeededNoProxy {
  /** The variable that names the proxy. */
  readonly proxyVariable: string;
  /** The variables to set: that in lower case hides the other one from most programs, and not from all. */
  readonly variables: readonly string[];
  readonly value: string;
}

/** `undefined` where there is no proxy, or nobody would use it for that address. */
export function neededNoProxy(baseUrl: string, environment: Environment): NeededNoProxy | undefined {
  const { no_proxy: lower, NO_PROXY: upper, ...others } = environment;
  const url = new URL(baseUrl);
  const proxy = findProxy(url, (name) => others[name], false);
  if (proxy === undefined) return undefined;
  const entries = new Set([lower, upper].flatMap((list = '') => noProxyEntries(list)));
  const hosts = spellings(url.hostname);
  // Programs differ in ranges and ports: only a host by itself is known to all.
  if (entries.has('*') || hosts.every((host) => entries.has(host))) return undefined;
  return {
    proxyVariable: proxy.variable,
    variables: lower === undefined ? ['NO_PROXY'] : ['no_proxy', 'NO_PROXY'],
    value: [...new Set([...entries, ...hosts, 'localhost'])].join(','),
  };
}

/** Of an IPv6 address curl and Deno know one, and Node the other. */
function spellings(hostname: string): readonly string[] {
  return hostname.startsWith('[') ? [hostname.slice(1, -1), hostname] : [hostname];
}
