/** Gives the value of an environment variable. */
export type ReadVariable = (name: string) => string | undefined;

/** The proxy that the environment names for an address. */
export interface EnvironmentProxy {
  /** The variable that names it. */
  readonly variable: string;
  /** May hold a credential. `undefined` when the variable holds no address. */
  readonly url: URL | undefined;
}

/**
 * Looks up the proxy for an address, as most programs do: by the variable of its protocol, the name in lower case first,
 * unless `NO_PROXY` names the host.
 *
 * @param fallsBack - whether that of http is for https, too, when there is no other
 */
export function findProxy(url: URL, read: ReadVariable, fallsBack: boolean): EnvironmentProxy | undefined {
  const schemes = url.protocol === 'http:' ? ['http'] : fallsBack ? ['https', 'http'] : ['https'];
  for (const scheme of schemes) {
    const found = readEither(`${scheme}_proxy`, read);
    if (found?.value) {
      const exempt = readEither('no_proxy', read)?.value;
      return exempt && isExempt(url, exempt) ? undefined : { variable: found.variable, url: parseProxy(found.value) };
    }
  }
  return undefined;
}

/** One that is set and empty is how a proxy is switched off. */
function readEither(name: string, read: ReadVariable): { variable: string; value: string } | undefined {
  for (const variable of [name, name.toUpperCase()]) {
    const value = read(variable)?.trim();
    if (value !== undefined) return { variable, value };
  }
  return undefined;
}

function parseProxy(value: string): URL | undefined {
  const address = value.includes('://') ? value : `http://${value}`;
  return URL.canParse(address) ? new URL(address) : undefined;
}

/** Whether a `NO_PROXY` names the host of an address: as `*`, by its name or one above it, with or without a port. */
function isExempt({ protocol, hostname, port }: URL, list: string): boolean {
  const host = bare(hostname);
  const itsPort = port || defaultPorts[protocol];
  return noProxyEntries(list.toLowerCase()).some((entry) => {
    const [, name = entry, onlyPort = itsPort] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? [];
    const suffix = bare(name).replace(/^\*?\./, '');
    return entry === '*' || (suffix !== '' && onlyPort === itsPort && `.${host}`.endsWith(`.${suffix}`));
  });
}

/** What a `NO_PROXY` names. */
export function noProxyEntries(list: string): readonly string[] {
  return list.split(/[\s,]+/).filter((entry) => entry !== '');
}

function bare(host: string): string {
  return host.replaceAll(/^\[|\]$/g, '');
}

const defaultPorts: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** What to tell whoever got no answer, or a strange one, through a proxy; holds no credential. */
export function proxyHint({ variable, url }: EnvironmentProxy, { hostname }: URL): string {
  const address = url && ` ${url.hostname}:${url.port || defaultPorts[url.protocol]}`;
  return `It goes through the proxy${address ?? ''} of ${variable}: check that it is up and lets ${hostname} through, or name ${hostname} in NO_PROXY.`;
}

/** The part of `globalThis` that tells runtimes apart. */
export interface Runtime {
  readonly Bun?: unknown;
  readonly Deno?: unknown;
  readonly process?: {
    readonly execArgv?: readonly string[];
    readonly allowedNodeEnvironmentFlags?: { has(flag: string): boolean };
  };
}

const nodeFlag = '--use-env-proxy';

/** Whose `fetch` goes through the proxies that the environment names; `undefined` where it does not. */
export function proxyingRuntime(read: ReadVariable, runtime: Runtime = globalThis): 'node' | 'other' | undefined {
  const { Bun, Deno, process } = runtime;
  if (Bun !== undefined || Deno !== undefined) return 'other';
  // An older Node takes no notice of the variable.
  if (process?.allowedNodeEnvironmentFlags?.has(nodeFlag) !== true) return undefined;
  const flags = [...(process.execArgv ?? []), ...(read('NODE_OPTIONS') ?? '').split(' ')];
  return read('NODE_USE_ENV_PROXY') === '1' || flags.includes(nodeFlag) ? 'node' : undefined;
}
