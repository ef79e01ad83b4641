import { describe, expect, it } from 'vitest';
import type { QueueErrorCode } from '../../../src/contract/errors.ts';
import { codeOfThrown } from '../../../src/transports/cloudflare/thrown-code.ts';
import { fakeFetch, openTransport, rejection } from './fake-fetch.ts';

const address = 'https://api.example/';

/** `name code message`, as each runtime has them; a `-` where there is none. */
const told: ReadonlyArray<readonly [QueueErrorCode, runtime: string, text: string]> = [
  ['forbidden-by-runtime', 'Deno', 'NotCapable - Requires net access to "api.example:443", run again with --allow-net'],
  ['forbidden-by-runtime', 'an older Deno', 'PermissionDenied - Requires net access'],
  ['forbidden-by-runtime', 'Node', 'Error ERR_ACCESS_DENIED getaddrinfo ERR_ACCESS_DENIED api.example'],
  ['untrusted-certificate', 'Node, Bun', 'TypeError DEPTH_ZERO_SELF_SIGNED_CERT self signed certificate'],
  ['untrusted-certificate', 'Node, Bun', 'Error SELF_SIGNED_CERT_IN_CHAIN self-signed certificate in chain'],
  ['untrusted-certificate', 'Node, Bun', 'Error CERT_HAS_EXPIRED certificate has expired'],
  ['untrusted-certificate', 'Node, Bun', 'Error ERR_TLS_CERT_ALTNAME_INVALID Host: api.example. is not in it'],
  ['untrusted-certificate', 'Node, Bun', 'Error UNABLE_TO_VERIFY_LEAF_SIGNATURE unable to verify'],
  ['untrusted-certificate', 'Node, Bun', 'Error UNABLE_TO_GET_ISSUER_CERT_LOCALLY unable to get local issuer'],
  ['untrusted-certificate', 'Node, Bun', 'Error HOSTNAME_MISMATCH hostname mismatch'],
  ['untrusted-certificate', 'Deno', 'Error - client error (Connect): invalid peer certificate: UnknownIssuer'],
  ['unknown-host', 'Node, Bun', 'Error ENOTFOUND getaddrinfo ENOTFOUND api.example'],
  [
    'unknown-host',
    'Deno',
    'Error - client error (Connect): dns error: failed to lookup address information: Name or service not known',
  ],
  ['unusable-address', 'Node', 'Error - bad port'],
  ['unusable-address', 'Deno', 'TypeError - Fetch failed: Requests to port 6000 are blocked'],
  ['transport-failed', 'jsdom', 'ReferenceError - Headers is not defined'],
  ['network', 'Node', 'Error ECONNREFUSED connect ECONNREFUSED 127.0.0.1:9'],
  ['network', 'Node', 'Error EAI_AGAIN getaddrinfo EAI_AGAIN api.example'],
  ['network', 'Node', 'SocketError UND_ERR_SOCKET other side closed'],
  ['network', 'Workers', 'Error - internal error; reference = 6rb7fr'],
  ['network', 'Chromium', 'TypeError - Failed to fetch'],
  // Of texts, no more is believed than the runtimes write.
  ['network', 'somebody', 'Error - the CERT of ENOTFOUND has an ERR_ACCESS_DENIED, a bad port, and is NotCapable'],
];

function errorOf(text: string): Error {
  const [, name, code, message] = /^(\S+) (\S+) (.*)$/.exec(text) ?? [];
  return Object.assign(new Error(message), { name }, code === '-' ? {} : { code });
}

describe('codeOfThrown()', () => {
  it.each(told)('is %s for what %s throws: %s', (code, _, text) => {
    expect(codeOfThrown(errorOf(text), address)).toBe(code);
  });

  it.each(told.filter(([code]) => code !== 'transport-failed'))(
    'is %s where that is a cause: %3$s',
    (code, _, text) => {
      const cause = new TypeError('fetch failed', { cause: errorOf(text) });
      expect(codeOfThrown(new TypeError('fetch failed', { cause }), address)).toBe(code);
    },
  );

  it.each(['foo://api.example/', 'http://[', 'x'])(
    'is unusable-address where nothing is to be asked at %s',
    (wrong) => {
      expect(codeOfThrown(new TypeError('Failed to fetch'), wrong)).toBe('unusable-address');
    },
  );
});

describe('a hook', () => {
  it('that makes another address of it is told that nothing can be asked there', async () => {
    const { fetch } = fakeFetch(() => Promise.reject(new TypeError('Failed to fetch')));
    const onRequest = (context: { request: string }) => void (context.request = 'foo://a/b');
    const error = await rejection(openTransport({ fetch, http: { onRequest } }).pull({}));
    expect(error).toMatchObject({ code: 'unusable-address' });
  });
});
