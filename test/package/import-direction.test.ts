import { beforeAll, describe, expect, it } from 'vitest';
import { PlantedTree } from './planted-tree.ts';

/** A line under src/ and the rule that must report it. */
type Violation = readonly [file: string, code: string, rule: string];

const clocks = ['setTimeout', 'setInterval', 'setImmediate', 'performance'];
const folders = [
  'contract',
  'lease',
  'consumer',
  'producer',
  'convert',
  'queue',
  'testing',
  'observe',
  'workers',
  'transports/cloudflare',
  'broker',
  'cli',
];

const forbidden: Readonly<Record<string, readonly Violation[]>> = {
  'an entry file that imports anything but the folders': [
    ...imports('planted.ts', './cli/a.ts', './entry.ts', 'undici', 'rxjs', 'node:fs'),
    ...imports('rxjs.ts', './convert/node-readable.ts', 'node:stream'),
    ...imports('node.ts', 'rxjs', 'node:stream'),
  ],
  'contract/ importing another folder': imports('contract', ...allBut('contract'), 'undici', 'rxjs', 'node:timers'),
  'lease/ importing anything but contract/': [
    ...imports('lease', ...allBut('lease', 'contract'), 'abort-controller-x', 'rxjs', 'node:timers/promises'),
    ...imports('lease', './../consumer/a.ts', '../contract/../consumer/a.ts'),
  ],
  'consumer/ importing anything but contract/ and lease/': [
    ...imports('consumer', ...allBut('consumer', 'contract', 'lease'), 'undici', 'rxjs', 'node:events'),
    ...imports('consumer/settling', '../../convert/a.ts', '../../producer/a.ts', '../../index.ts', 'undici', 'rxjs'),
  ],
  'producer/ importing anything but contract/ and lease/': imports(
    'producer',
    ...allBut('producer', 'contract', 'lease'),
    'undici',
    'rxjs',
    'node:events',
  ),
  'convert/ importing lease/, a transport, the command line or an entry file': [
    ...imports('convert', ...allBut('convert', 'contract', 'consumer', 'producer'), 'undici'),
    ...imports('convert/observable.ts', '../lease/a.ts', '../cli/a.ts', '../index.ts'),
    ...imports('convert/node-writable.ts', '../lease/a.ts', '../cli/a.ts', '../index.ts'),
  ],
  'queue/ importing lease/, the broker, the command line or an entry file': imports(
    'queue',
    ...allBut('queue', 'contract', 'consumer', 'producer', 'convert', 'transports/cloudflare'),
    'undici',
    'rxjs',
    'node:events',
  ),
  'testing/ importing anything but contract/': imports(
    'testing',
    ...allBut('testing', 'contract'),
    'vitest',
    'node:test',
  ),
  'workers/ importing anything but contract/, consumer/ and queue/': imports(
    'workers',
    ...allBut('workers', 'contract', 'consumer', 'queue'),
    'undici',
    'rxjs',
    'node:events',
  ),
  'transports/cloudflare/ importing anything but contract/': [
    ...imports('transports/cloudflare', ...allBut('transports/cloudflare', 'contract'), 'rxjs', 'node:http'),
    ...imports('transports/cloudflare/node-wire.ts', '../../lease/a.ts', '../../cli/a.ts', '../../index.ts', 'undici'),
  ],
  'ofetch, and what is chosen by conditions, outside transports/cloudflare/': [
    ...['contract', 'lease', 'consumer', 'producer', 'convert', 'queue', 'broker', 'entry.ts'].flatMap((place) =>
      imports(place, 'ofetch', '#wire'),
    ),
    ...imports('transports/cloudflare/node-wire.ts', 'ofetch', '#wire'),
  ],
  'observe/ importing anything but contract/': [
    ...imports('observe', ...allBut('observe', 'contract'), 'abort-controller-x', 'rxjs', 'node:diagnostics_channel'),
    ...imports('observe/node-diagnostics.ts', '../lease/a.ts', '../index.ts', '@opentelemetry/api', 'undici'),
  ],
  'the API of OpenTelemetry outside observe/': [
    'contract',
    'consumer',
    'producer',
    'convert',
    'queue',
    'entry.ts',
  ].flatMap((place) => imports(place, '@opentelemetry/api')),
  'the broker importing anything but contract/ and the wire format': [
    ...imports('broker', ...allBut('broker', 'contract'), 'undici', 'rxjs', 'node:http'),
    ...imports('broker', '../transports/cloudflare/http.ts', '../transports/cloudflare/failure.ts'),
    ...imports(
      'broker/queue',
      '../../lease/a.ts',
      '../../transports/cloudflare/http.ts',
      '../../broker.ts',
      'node:http',
    ),
    ...imports(
      'broker/http/listen.ts',
      '../../lease/a.ts',
      '../../transports/cloudflare/http.ts',
      '../../cli/a.ts',
      'rxjs',
    ),
  ],
  'classic-level outside level-store.ts, and anything else in it': [
    ...imports('broker', 'classic-level'),
    ...imports('broker/durability/level-store.ts', 'undici', 'node:fs', '../queue/a.ts', '../../lease/a.ts'),
  ],
  'rxjs outside convert/observable.ts': [
    ...imports('convert', 'rxjs', 'rxjs/operators'),
    ...imports('convert/node-readable.ts', 'rxjs'),
  ],
  'node: modules outside convert/node-*.ts, the listener and the command line': [
    ...imports('convert', 'node:stream', 'stream', 'node:stream/promises'),
    ...imports('convert/web-streams.ts', 'node:stream/web'),
    ...imports('convert/observable.ts', 'node:stream'),
  ],
  'a circle of imports': folders.flatMap((folder) => circle(folder, './b.ts', (path) => `export * from '${path}';`)),
  'a circle of imports of types alone': folders.flatMap((folder) => [
    ...circle(folder, './type-b.ts', (path) => `import type { It } from '${path}'; export type Its = It;`),
    ...circle(folder, './again-b.ts', (path) => `export type { It } from '${path}';`),
    ...circle(folder, './room/b.ts', (path) => `export type * from '${path}';`),
  ]),
  'an import of a type within a type, which is not seen as a part of a circle': folders.map((folder) =>
    line(folder, "export type It = import('./a.ts').It;", 'typescript(consistent-type-imports)'),
  ),
  'a clock that is not the port': [
    ...globals([...folders, 'convert/node-readable.ts', 'broker/http/listen.ts'], clocks),
    ...properties([...folders, 'consumer/now-options.ts'], 'Date.now()'),
    ...globals(['lease'], ['Date', 'queueMicrotask']),
  ],
  'chance that is not an option': properties(
    [...folders, 'contract/system-clock.ts', 'lease/some-options.ts'],
    'Math.random()',
  ),
  'the host outside the Node surfaces': globals(without('cli'), ['process', 'Buffer']),
  'the network outside transports/cloudflare/': globals(without('cli', 'transports/cloudflare'), ['fetch']),
  'an effect in the core': globals(['lease'], ['crypto', 'console', 'AbortController', 'Promise']),
  'a loose type': [
    line('consumer', 'export const it = (value: any): unknown => value;', 'typescript(no-explicit-any)'),
    line('consumer', 'export const it = [1][0]!;', 'typescript(no-non-null-assertion)'),
    line('lease', 'export const it = (value: unknown) => value as string;', 'typescript(no-unsafe-type-assertion)'),
    line('lease', "import { It } from './it.ts'; export type Its = It;", 'typescript(consistent-type-imports)'),
    line(
      'consumer',
      "export function it(kind: 'a' | 'b'): void { switch (kind) { case 'a': } }",
      'typescript(switch-exhaustiveness-check)',
    ),
  ],
  'a lost promise': [
    line('consumer', 'export function it(task: Promise<void>) { task; }', 'typescript(no-floating-promises)'),
    line('consumer', 'export async function it() { await 1; }', 'typescript(await-thenable)'),
    line('consumer', 'export const it = [1].filter(async () => true);', 'typescript(no-misused-promises)'),
    line(
      'consumer',
      'export async function it(task: Promise<void>) { try { return task; } finally { await task; } }',
      'typescript(return-await)',
    ),
  ],
};

const allowed: readonly (readonly [file: string, code: string])[] = [
  ['index.ts', "export * from './convert/clean.ts';"],
  ['index.ts', "export * from './queue/open-queue.ts';"],
  ['index.ts', "export type { Clean } from './contract/clean.ts';"],
  ['broker.ts', "export * from './broker/http/listen.ts';"],
  ['rxjs.ts', "export * from './convert/observable.ts';"],
  ['contract/clean.ts', 'export interface Clean { readonly at: Date }'],
  ['contract/clean.ts', "export { isAbortError as check } from 'abort-controller-x';"],
  ['contract/system-clock.ts', 'export const it = (): number => Date.now() + performance.now();'],
  ['contract/system-clock.ts', 'export const it = (task: () => void): unknown => setTimeout(task, 1);'],
  ['lease/clean.ts', "export type { Clean as Lease } from '../contract/clean.ts';"],
  ['lease/nearby.ts', "export type * from './clean.ts';"],
  ['consumer/clean.ts', "export type { Lease } from '../lease/clean.ts';"],
  ['consumer/clean.ts', 'export const make = (ms: number) => ({ at: new Date(ms) });'],
  ['consumer/settling/clean.ts', "export type { Lease } from '../../lease/clean.ts';"],
  ['consumer/closing/clean.ts', "export type * from '../settling/clean.ts';"],
  ['consumer/closing/clean.ts', "export type { Lease } from '../clean.ts';"],
  ['consumer/clean-options.ts', 'export const defaults = { random: Math.random };'],
  ['producer/clean.ts', "export { check as produce } from '../contract/clean.ts';"],
  ['convert/clean.ts', "export * from '../consumer/clean.ts';"],
  ['convert/clean.ts', "export * from '../producer/clean.ts';"],
  ['convert/observable.ts', "export { Observable } from 'rxjs';"],
  ['convert/node-clean.ts', "export { Readable } from 'node:stream';"],
  ['convert/node-clean.ts', "export { pipeline } from 'node:stream/promises';"],
  ['convert/node-clean.ts', 'export const env = process.env;'],
  ['testing/clean.ts', "export { check as judge } from '../contract/clean.ts';"],
  ['testing.ts', "export * from './testing/clean.ts';"],
  ['opentelemetry.ts', "export * from './observe/opentelemetry.ts';"],
  ['observe/clean.ts', "export { trace } from '@opentelemetry/api';"],
  ['observe/clean.ts', "export * from '../contract/clean.ts';"],
  ['observe/node-clean.ts', "export { channel } from 'node:diagnostics_channel';"],
  ['queue/open-queue.ts', "export * from '../convert/clean.ts';"],
  ['queue/open-queue.ts', "export * from '../transports/cloudflare/clean.ts';"],
  ['queue/open-queue.ts', 'export const random = Math.random;'],
  ['workers/clean.ts', "export * from '../queue/open-queue.ts';"],
  ['workers.ts', "export * from './workers/clean.ts';"],
  ['transports/cloudflare/clean.ts', 'export const send = fetch;'],
  ['transports/cloudflare/clean.ts', "export { wire } from '#wire';"],
  ['transports/cloudflare/clean.ts', "export { createFetch } from 'ofetch';"],
  ['transports/cloudflare/node-clean.ts', "export { request } from 'node:http';"],
  ['transports/cloudflare/wire-clean.ts', "export type { Clean as Wire } from '../../contract/clean.ts';"],
  ['broker/clean.ts', "export type { Wire } from '../transports/cloudflare/wire-clean.ts';"],
  ['broker/queue/clean.ts', "export type { Wire } from '../../transports/cloudflare/wire-clean.ts';"],
  ['broker/http/clean.ts', "export type * from '../queue/clean.ts';"],
  ['broker/http/clean.ts', "export type * from '../clean.ts';"],
  ['broker/http/listen.ts', "export { createServer } from 'node:http';"],
  ['broker/durability/level-store.ts', "export { ClassicLevel } from 'classic-level';"],
  ['cli/clean.ts', "export * from '../convert/clean.ts';"],
  ['cli/clean.ts', "export { readFileSync } from 'node:fs';"],
  ['cli/clean.ts', 'console.log(process.argv);'],
];

function line(place: string, code: string, rule: string): Violation {
  return [place.endsWith('.ts') ? place : `${place}/planted.ts`, code, rule];
}

/** A file that imports another, and that one back. */
function circle(folder: string, other: string, code: (path: string) => string): readonly Violation[] {
  const path = other.slice(2);
  const back = path.includes('/') ? `../to-${path.replace('/', '-')}` : `./to-${path}`;
  return [
    line(`${folder}/to-${path.replace('/', '-')}`, code(other), 'import(no-cycle)'),
    line(`${folder}/${path}`, code(back), 'import(no-cycle)'),
  ];
}

/** A re-export, an import, an import of types alone and one at run time, of each. */
function imports(place: string, ...specifiers: readonly string[]): readonly Violation[] {
  return specifiers.flatMap((specifier) =>
    [
      `export * from '${specifier}';`,
      `import it from '${specifier}'; export const its = it;`,
      `import type { It } from '${specifier}'; export type Its = It;`,
      `export const it = () => import('${specifier}');`,
    ].map((code) => line(place, code, 'eslint(no-restricted-imports)')),
  );
}

function globals(places: readonly string[], names: readonly string[]): readonly Violation[] {
  const rule = 'eslint(no-restricted-globals)';
  return places.flatMap((place) =>
    names.flatMap((name) => [
      line(place, `export const it = ${name};`, rule),
      line(place, `export const it = globalThis.${name};`, rule),
    ]),
  );
}

function properties(places: readonly string[], expression: string): readonly Violation[] {
  return places.map((place) => line(place, `export const it = ${expression};`, 'eslint(no-restricted-properties)'));
}

function without(...names: readonly string[]): readonly string[] {
  return folders.filter((folder) => !names.includes(folder));
}

/** How a folder would import a file of each folder but those, or an entry file. */
function allBut(folder: string, ...names: readonly string[]): readonly string[] {
  const up = folder.startsWith('transports/') ? '../../' : '../';
  return [...without(folder, ...names).map((other) => `${other}/a.ts`), 'index.ts', 'broker.ts'].map(
    (path) => up + path,
  );
}

describe('the rules of .oxlintrc.json', () => {
  const tree = new PlantedTree();
  const violations = Object.entries(forbidden).map(([name, lines]) => ({
    name,
    lines: lines.map(([file, code, rule]) => ({ file, code, rule, rules: tree.plant(`src/${file}`, code) })),
  }));
  const passing = allowed.map(([file, code]) => ({ file, code, rules: tree.plant(`src/${file}`, code) }));

  beforeAll(() => tree.lint(), 60_000);

  it.each(violations)('report $name', ({ lines }) => {
    const missed = lines.filter(({ rule, rules }) => !rules().includes(rule));
    expect(missed.map(({ file, code }) => `${file}: ${code}`)).toEqual([]);
  });

  it('report nothing in clean files', () => {
    const reported = passing.filter(({ rules }) => rules().length > 0);
    expect(reported.map(({ file, code, rules }) => `${file}: ${code}: ${rules().join(', ')}`)).toEqual([]);
  });
});
