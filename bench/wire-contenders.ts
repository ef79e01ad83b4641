import http from 'node:http';
import { lastValueFrom } from 'rxjs';
import { Pool } from 'undici';
import { openQueue } from '../src/index.ts';
import { observeWithOpenTelemetry } from '../src/opentelemetry.ts';
import { settleMap, toObservable } from '../src/rxjs.ts';
import { callOf, type Contender, pipelined, post, type Post, serialOfficial, type Work } from './contenders.ts';

const concurrency = 200;

const agent = new http.Agent({ keepAlive: true });

/** A call by Node's HTTP client. */
const postByHttp: Post = <Result>(work: Work, path: string, body: unknown): Promise<Result> => {
  const { url, headers } = callOf(work, path);
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: 'POST', headers, agent }, (message) => {
      const chunks: Buffer[] = [];
      message.on('data', (chunk: Buffer) => chunks.push(chunk));
      message.on('end', () => resolve((JSON.parse(Buffer.concat(chunks).toString()) as { result: Result }).result));
    });
    request.on('error', reject).end(JSON.stringify(body));
  });
};

let pool: Pool | undefined;

/** A call by the `undici` package, which knows a way without web streams. */
const postByUndici: Post = async <Result>(work: Work, path: string, body: unknown): Promise<Result> => {
  const { url, headers } = callOf(work, path);
  const { origin, pathname } = new URL(url);
  pool ??= new Pool(origin);
  const answer = await pool.request({
    path: pathname,
    method: 'POST',
    headers: { ...headers },
    body: JSON.stringify(body),
  });
  return (JSON.parse(await answer.body.text()) as { result: Result }).result;
};

const open = ({ connection }: Work) => openQueue(connection);

/** In the order in which they are shown. The library's go over the wire that it chooses by itself. */
export const wireContenders: Readonly<Record<string, Contender>> = {
  'loop of fetch': pipelined(post),
  'loop of node:http': pipelined(postByHttp),
  'loop of undici': pipelined(postByUndici),
  'official client, serial': serialOfficial,
  'process (message)': async (work) => {
    await open(work).process((message) => work.handle(message.body), { concurrency, signal: work.signal });
  },
  'process (message), observed': async (work) => {
    const queue = openQueue({ ...work.connection, observer: observeWithOpenTelemetry() });
    await queue.process((message) => work.handle(message.body), { concurrency, signal: work.signal });
  },
  'process ()': async (work) => {
    await open(work).process(() => work.handle(undefined), { concurrency, signal: work.signal });
  },
  'for await': async (work) => {
    for await (const message of open(work).consume({ signal: work.signal })) await work.handle(message.body);
  },
  settleMap: async (work) => {
    const { signal, handle } = work;
    const handled = toObservable(open(work), { signal }).pipe(
      settleMap(async ({ body }) => handle(body), { concurrency }),
    );
    await lastValueFrom(handled, { defaultValue: undefined });
  },
};
