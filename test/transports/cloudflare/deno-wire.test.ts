import { describe, expect, it, vi } from 'vitest';
import { wire } from '../../../src/transports/cloudflare/deno-wire.ts';
import type { FetchInit } from '../../../src/transports/cloudflare/fetch.ts';

const init: FetchInit = {
  method: 'POST',
  headers: new Headers(),
  body: 'x',
  redirect: 'manual',
  signal: new AbortController().signal,
};

/** Puts a fetch in the place of the platform's that answers as it is told, and notes the bodies that it was given. */
function stubFetch(answers: readonly (Response | Error)[]): unknown[] {
  const bodies: unknown[] = [];
  const left = [...answers];
  vi.stubGlobal('fetch', async (_: string, { body }: RequestInit) => {
    bodies.push(body);
    const answer = left.shift();
    return answer instanceof Response ? answer : Promise.reject(answer ?? new Error('asked too often'));
  });
  return bodies;
}

// What Deno makes of it is tried in test/runtimes.
describe('wire() of Deno', () => {
  it('gives a body that can be read but once, where a connection may have been kept', async () => {
    const bodies = stubFetch([new Response(), new Response(), new Response()]);
    await wire('http://one.example/a', init);
    await wire('http://one.example/b', init);
    await wire('http://other.example/a', init);
    expect(bodies).toEqual(['x', expect.any(Blob), 'x']);
    expect(await (bodies[1] as Blob).text()).toBe('x');
  });

  it('gives a text until a host has answered', async () => {
    const bodies = stubFetch([new TypeError('no'), new TypeError('no'), new Response()]);
    await expect(wire('http://third.example/a', init)).rejects.toThrow('no');
    await expect(wire('http://third.example/a', init)).rejects.toThrow('no');
    await wire('http://third.example/a', init);
    expect(bodies).toEqual(['x', 'x', 'x']);
  });

  it('adds no body to a request without one', async () => {
    const bodies = stubFetch([new Response(), new Response()]);
    const { body: _, ...bodiless } = init;
    await wire('http://fourth.example/a', bodiless);
    await wire('http://fourth.example/a', bodiless);
    expect(bodies).toEqual([undefined, undefined]);
  });
});
