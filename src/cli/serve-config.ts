import { readFile } from 'node:fs/promises';
import { behaviourNames } from '../broker/behaviour.ts';
import type { BrokerOptions } from '../broker/broker-options.ts';
import { InputError } from './exit-codes.ts';
import { parseQueueFlag } from './queue-flag.ts';

/** What `serve` is told, by a file and by options, of which the options win. */
export interface ServeConfig {
  readonly port: number;
  readonly host: string;
  /** Where queues are kept; in memory without it. */
  readonly data: string | undefined;
  readonly page: boolean;
  /** Of what pages may call, besides its own. */
  readonly allowedOrigins: readonly string[];
  readonly broker: BrokerOptions;
}

/** The options of `serve` as the command line has them. */
export interface ServeFlags {
  readonly port?: number;
  readonly host?: string;
  readonly queue?: readonly string[];
  readonly config?: string;
  readonly data?: string;
  readonly accountId?: string;
  readonly apiToken?: string;
  readonly behaviour?: readonly string[];
  readonly fault?: readonly string[];
  readonly allowOrigin?: readonly string[];
  readonly page: boolean;
  readonly json?: boolean;
}

export const serveDefaults = { port: 7878, host: '127.0.0.1' } as const;

const fileNames: ReadonlySet<string> = new Set([
  'port',
  'host',
  'data',
  'page',
  'allowedOrigins',
  'accountId',
  'apiToken',
  'queues',
  'faults',
  ...behaviourNames,
]);

/** @throws InputError when the file, or an option that takes a pair, is wrong */
export async function readServeConfig(flags: ServeFlags): Promise<ServeConfig> {
  const file = flags.config === undefined ? {} : await readConfigFile(flags.config);
  const { port, host, data, page, allowedOrigins, queues, faults, ...others } = file;
  const given = Object.fromEntries((flags.queue ?? []).map(parseQueueFlag));
  return {
    port: flags.port ?? numberIn('port', port) ?? serveDefaults.port,
    host: flags.host ?? textIn('host', host) ?? serveDefaults.host,
    data: flags.data ?? textIn('data', data),
    page: flags.page && page !== false,
    allowedOrigins: flags.allowOrigin ?? textsIn('allowedOrigins', allowedOrigins),
    broker: {
      ...others,
      ...Object.fromEntries((flags.behaviour ?? []).map((pair) => readPair('--behaviour', pair, behaviourNames))),
      ...(flags.accountId === undefined ? {} : { accountId: flags.accountId }),
      ...(flags.apiToken === undefined ? {} : { apiToken: flags.apiToken }),
      queues: { ...objectIn('queues', queues), ...given },
      faults: {
        ...objectIn('faults', faults),
        ...Object.fromEntries((flags.fault ?? []).map((pair) => readPair('--fault', pair))),
      },
    } as BrokerOptions,
  };
}

type JsonObject = Readonly<Record<string, unknown>>;

async function readConfigFile(path: string): Promise<JsonObject> {
  const config = objectIn(path, parseJson(path, textOf(path, await readFile(path))));
  const unknown = Object.keys(config).find((name) => !fileNames.has(name));
  if (unknown === undefined) return config;
  throw new InputError(`Cannot read ${path}: '${unknown}' is none of ${[...fileNames].join(', ')}`);
}

function textOf(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(`Cannot read ${path}: it is not UTF-8`);
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(
      `Cannot read ${path}: it is not JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function readPair(option: string, pair: string, names?: readonly string[]): readonly [name: string, value: unknown] {
  const [name = '', ...rest] = pair.split('=');
  if (rest.length === 0 || (names !== undefined && !names.includes(name))) {
    const what = names === undefined ? 'NAME=VALUE' : `NAME=VALUE with one of ${names.join(', ')}`;
    throw new InputError(`Cannot read ${option} ${pair}: it must be ${what}`);
  }
  const value = rest.join('=');
  try {
    return [name, JSON.parse(value)];
  } catch {
    // A word needs no quotes.
    return [name, value];
  }
}

function objectIn(name: string, value: unknown): JsonObject {
  if (value === undefined) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new InputError(`Cannot read '${name}': it must be an object`);
}

function numberIn(name: string, value: unknown): number | undefined {
  if (value === undefined || typeof value === 'number') return value;
  throw new InputError(`Cannot read '${name}': it must be a number`);
}

function textIn(name: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw new InputError(`Cannot read '${name}': it must be a text`);
}

function textsIn(name: string, value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
  throw new InputError(`Cannot read '${name}': it must be a list of texts`);
}
