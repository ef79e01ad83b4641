import { describe, expect, it } from 'vitest';
import type { QueueErrorCode, ServiceError } from '../../../src/contract/errors.ts';
import type { Action } from '../../../src/transports/cloudflare/action.ts';
import { type FailedAnswer, failureOf } from '../../../src/transports/cloudflare/failure.ts';
import { createRedact } from '../../../src/transports/cloudflare/redact.ts';
import { readRetryAfter } from '../../../src/transports/cloudflare/retry-after.ts';
import { decodeEnvelope } from '../../../src/transports/cloudflare/wire.ts';
import { readRecord } from '../../wire/conversations.ts';

const queueId = '023e105f4ecef8ad9ca31a8372d0c353';
const token = 'secret-token-123';
const redact = createRedact([token]);

interface Parts extends Partial<Omit<FailedAnswer, 'envelope'>> {
  readonly codes?: readonly number[];
  readonly errors?: readonly ServiceError[];
  readonly success?: boolean;
  readonly queue?: string;
}

function fail({ codes = [], queue = queueId, errors, success = false, ...answer }: Parts) {
  const said = codes.map((code) => ({ code, message: 'what the service said' }));
  const envelope = { success, errors: errors ?? said };
  return failureOf({ action: 'pull', status: 400, text: '', envelope, ...answer }, { queueId: queue, redact });
}

describe('failureOf()', () => {
  it.each<[number, readonly number[], QueueErrorCode]>([
    // By status alone.
    [200, [], 'bad-answer'],
    [204, [], 'bad-answer'],
    [400, [], 'refused'],
    [401, [], 'unauthorized'],
    [403, [], 'unauthorized'],
    [404, [], 'not-found'],
    [405, [], 'pull-not-enabled'],
    [408, [], 'service-failed'],
    [409, [], 'delivery-paused'],
    [410, [], 'refused'],
    [413, [], 'too-large'],
    [421, [], 'service-failed'],
    [425, [], 'service-failed'],
    [415, [], 'refused'],
    [422, [], 'refused'],
    [429, [], 'rate-limited'],
    [499, [], 'refused'],
    [500, [], 'service-failed'],
    [501, [], 'service-failed'],
    [502, [], 'service-failed'],
    [503, [], 'service-failed'],
    [504, [], 'service-failed'],
    [520, [], 'service-failed'],
    [530, [], 'service-failed'],
    // With code 0, or one unknown to us: by status.
    [404, [0], 'not-found'],
    [405, [0], 'pull-not-enabled'],
    [409, [0], 'delivery-paused'],
    [400, [99_999], 'refused'],
    // By code.
    [429, [971], 'rate-limited'],
    [429, [10429], 'rate-limited'],
    [403, [971], 'rate-limited'],
    [429, [10250], 'queue-unavailable'],
    [429, [10251], 'queue-unavailable'],
    [429, [10252], 'queue-unavailable'],
    [429, [10253], 'queue-unavailable'],
    [403, [10253], 'queue-unavailable'],
    [503, [10250], 'queue-unavailable'],
    [429, [99_999], 'rate-limited'],
    [400, [6003, 6111], 'unauthorized'],
    [400, [6003, 6103], 'unauthorized'],
    [400, [9109], 'unauthorized'],
    [400, [10000], 'unauthorized'],
    [403, [10106], 'unauthorized'],
    [405, [10405], 'unauthorized'],
    [400, [7003], 'not-found'],
    [404, [7003], 'not-found'],
    [400, [7000], 'not-found'],
    [400, [10104], 'not-found'],
    [400, [10107], 'not-found'],
    [404, [11000], 'not-found'],
    [400, [10204], 'too-large'],
    [400, [10205], 'too-large'],
    [400, [10206], 'too-large'],
    [400, [10013], 'refused'],
    [400, [10026], 'refused'],
    [400, [10202], 'refused'],
    [400, [10203], 'refused'],
    [400, [10207], 'refused'],
    [400, [10208], 'refused'],
    [499, [10201], 'service-failed'],
    [500, [15000], 'service-failed'],
    [400, [15000], 'service-failed'],
    // A broken service must not end a consumer, whatever code it puts on it.
    [500, [10000], 'service-failed'],
    [503, [7003], 'service-failed'],
    // `success: false` on a 200.
    [200, [99_999], 'bad-answer'],
    [200, [10207], 'refused'],
    [200, [10104], 'not-found'],
    [200, [971], 'rate-limited'],
    // The second of two tells more, or says "later".
    [400, [0, 10205], 'too-large'],
    [403, [10000, 971], 'rate-limited'],
  ])('%i with codes %j is %s', (status, codes, code) => {
    expect(fail({ status, codes })).toMatchObject({ name: 'QueueError', code, status });
  });

  it.each<[Action, QueueErrorCode]>([
    ['pull', 'pull-not-enabled'],
    ['ack', 'pull-not-enabled'],
    ['peek', 'pull-not-enabled'],
    ['push', 'refused'],
    ['bulk push', 'refused'],
    ['purge', 'refused'],
    ['read metrics', 'refused'],
  ])('a 405 to %s is %s', (action, code) => {
    expect(fail({ action, status: 405, codes: [0] }).code).toBe(code);
  });

  const refused = readRecord('errors').conversations;
  it.each(refused)('reads the recorded refusal of: $name', ({ status, error: code, answer }) => {
    const text = JSON.stringify(answer);
    const errors = decodeEnvelope(text)?.errors ?? [];
    const error = fail({ status, text, errors });
    expect(error.code).toBe(code);
    expect(error.errors).toStrictEqual(errors);
    for (const each of errors) expect(error.message).toContain(each.message);
  });

  it('says what was asked, and what the service said, with code and link', () => {
    const errors = [{ code: 7003, message: 'No route', documentationUrl: 'https://docs.example/7003', pointer: '/x' }];
    const error = fail({ status: 404, errors });
    expect(error.message).toBe(
      "Cannot pull: the service answered 404: No route at /x (code 7003). Check 'accountId' and 'queueId': both are ids of 32 hex characters, not names. See https://docs.example/7003",
    );
    expect(error.documentationUrl).toBe('https://docs.example/7003');
    expect(error.stack).toContain(error.message);
  });

  it.each<[string, Parts, string]>([
    ['no pull consumer', { status: 405, codes: [0] }, 'npx wrangler queues consumer http add <queue>'],
    ['401', { status: 401, codes: [10000] }, 'Queues Read and Queues Write'],
    ['403', { status: 403, codes: [0] }, 'Queues Read and Queues Write'],
    ['a 403 of others', { status: 403, text: '<h1>No</h1>' }, 'It is not the service that says so'],
    ['a 404 of others', { status: 404, queue: 'orders' }, 'It is not the service that says so'],
    [
      'a malformed token',
      { status: 400, codes: [6003, 6111] },
      "'apiToken' (or 'email' and 'apiKey') is not in the form",
    ],
    ['a name for an id', { status: 404, codes: [0], queue: 'orders' }, '"orders" looks like a name'],
    ['a malformed id', { status: 400, codes: [10107], queue: 'orders' }, '"orders" looks like a name'],
    ['a name refused without a code', { status: 400, codes: [0], queue: 'orders' }, '"orders" looks like a name'],
    ['an id of another account', { status: 404, codes: [10104] }, "'accountId' must be the account that has it"],
    ['no route', { status: 404, codes: [7003] }, "Check 'accountId'"],
    ['a string as json', { status: 400, codes: [10207], action: 'push' }, 'Push a string as text'],
    ['paused', { status: 409, codes: [0] }, 'npx wrangler queues resume-delivery <queue>'],
    ['a large message', { status: 400, codes: [10204] }, '128 000 bytes'],
    ['a large batch', { status: 400, codes: [10205] }, '256 000 bytes'],
    ['many messages', { status: 400, codes: [10206] }, '100 messages'],
    ['the free plan', { status: 429, codes: [10253] }, 'free plan'],
    ['a stranger', { status: 200, text: '<html>Welcome to the hotel</html>' }, "check that 'baseUrl'"],
  ])('has a hint for %s', (_, parts, hint) => {
    expect(fail(parts).message).toContain(hint);
  });

  it('quotes a piece of what is not JSON, without tags, scripts and styles', () => {
    const text = `<html><head><style>p { x: 1 }</style><script>alert(1)</script></head><body>\n<h1>502 Bad
      Gateway</h1> ${'x'.repeat(500)}</body></html>`;
    const { message } = fail({ status: 502, text });
    expect(message).toMatch(/^Cannot pull: the service answered 502: 502 Bad Gateway x+…$/);
    expect(message.length).toBeLessThan(220);
  });
  it('reads hostile HTML in no time', () => {
    const text = '<script '.repeat(100_000);
    expect(fail({ status: 502, text }).code).toBe('service-failed');
  });
  it('says nothing more when nothing was said', () => {
    expect(fail({ status: 503 }).message).toBe('Cannot pull: the service answered 503.');
  });

  it('takes the credential out of whatever the service sends back', () => {
    const errors = [
      { code: 1, message: `bad ${token}`, documentationUrl: `https://x/?t=${token}`, pointer: `/${token}` },
    ];
    const page = `<p>${'y'.repeat(150)} ${token}</p>`;
    for (const error of [fail({ errors }), fail({ status: 502, text: page })]) {
      expect(JSON.stringify(error) + error.stack + JSON.stringify(error.errors)).not.toContain('secret');
    }
    expect(fail({ errors }).errors[0]?.message).toBe('bad [redacted]');
  });

  it.each<[string, Parts, boolean]>([
    ['what it refuses', { codes: [0] }, true],
    ['a success that is none', { status: 200, codes: [10_013] }, true],
    ['what is not JSON', { status: 403, text: '<p>' }, false],
    ['an envelope that says nothing', { status: 403, errors: [] }, false],
    ['errors of a success', { status: 403, codes: [0], success: true }, false],
  ])('tells whether it is the service that says so: %s', (_, parts, inEnvelope) => {
    expect(fail(parts)).toMatchObject({ inEnvelope });
  });

  it('carries how long to wait', () => {
    expect(fail({ status: 429, retryAfterMs: 5000 }).retryAfterMs).toBe(5000);
    expect(fail({ status: 429 }).retryAfterMs).toBeUndefined();
  });
});

describe('createRedact()', () => {
  it('finds a secret as it stands, in URLs and in JSON, and the longer of two first', () => {
    const hide = createRedact(['a"b/c', 'a"b/c-longer', '']);
    expect(hide('x a"b/c x')).toBe('x [redacted] x');
    expect(hide(`?t=${encodeURIComponent('a"b/c')}`)).toBe('?t=[redacted]');
    expect(hide(JSON.stringify('a"b/c'))).toBe('"[redacted]"');
    expect(hide('a"b/c-longer')).toBe('[redacted]');
  });
});

describe('readRetryAfter()', () => {
  const now = Date.UTC(2026, 10, 1, 12, 0, 0);
  it.each([
    [{}, undefined],
    [{ 'retry-after': '5' }, 5000],
    [{ 'retry-after': ' 0 ' }, 0],
    [{ 'retry-after': '1.5' }, 1500],
    [{ 'retry-after': '-5' }, 0],
    [{ 'retry-after-ms': '250', 'retry-after': '5' }, 250],
    [{ 'retry-after-ms': 'soon', 'retry-after': '5' }, 5000],
    [{ 'retry-after': 'Sun, 01 Nov 2026 12:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Sun, 01 Nov 2026 11:00:00 GMT' }, 0],
    [{ 'retry-after': '99999999999' }, 99_999_999_999_000],
    [{ 'retry-after': '9'.repeat(400) }, Infinity],
    [{ 'retry-after-ms': '-250' }, 0],
    [
      { 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' },
      Date.UTC(9999, 11, 31, 23, 59, 59) - Date.UTC(2026, 10, 1, 12),
    ],
    [{ 'retry-after': 'NaN' }, undefined],
    [{ 'retry-after': 'in 5 apples' }, undefined],
    [{ 'retry-after': 'no date GMT' }, undefined],
    [{ 'retry-after': '' }, undefined],
    [{ 'retry-after': 'Infinity' }, undefined],
  ])('reads %j as %s', (headers, expected) => {
    expect(readRetryAfter(new Headers(headers), () => now)).toBe(expected);
  });
});
