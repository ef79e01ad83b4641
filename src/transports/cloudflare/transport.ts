import type { CallOptions, QueueTransport } from '../../contract/transport.ts';
import type { Action } from './action.ts';
import { failureOf } from './failure.ts';
import { isOk } from './fetch.ts';
import type { HttpRequest } from './http-exchange.ts';
import { createHttp } from './http.ts';
import { type CloudflareConnection, type CloudflareTransportOptions, resolveConnection } from './options.ts';
import { createRedact } from './redact.ts';
import {
  decodeAckResult,
  decodeEnvelope,
  decodeMetrics,
  decodePeekResult,
  decodePullResult,
  decodePurgeResult,
  decodePushResult,
  encodeAck,
  encodeBulkPush,
  encodePeek,
  encodePull,
  encodePurge,
  encodePush,
  lacking,
} from './wire.ts';

/**
 * Gives back the port to one queue over Cloudflare's HTTP API: one request for each call, nothing repeated, no
 * redirect followed. Opening does no I/O.
 *
 * @param options - where the queue is, and the credential; what is left out comes from the environment, read now
 * @throws TypeError when an option is missing or wrong; its message never holds a credential
 * @example
 * ```ts
 * import { createCloudflareTransport } from 'leasestream/cloudflare';
 *
 * const transport = createCloudflareTransport({
 *   accountId: '023e105f4ecef8ad9ca31a8372d0c353',
 *   queueId: '123e105f4ecef8ad9ca31a8372d0c353',
 *   apiToken: 'token',
 * });
 * ```
 * @see https://developers.cloudflare.com/api/resources/queues/
 */
export function createCloudflareTransport(options: CloudflareTransportOptions): QueueTransport {
  return connectCloudflareTransport(resolveConnection(options));
}

/** The transport over options that have been checked and completed. */
export function connectCloudflareTransport(connection: CloudflareConnection): QueueTransport {
  const { accountId, queueId, baseUrl, authHeaders, secrets, fetch, http, clock, wayHint } = connection;
  const redact = createRedact(secrets);
  const headers = { accept: 'application/json', 'content-type': 'application/json', ...authHeaders };
  const send = createHttp({ fetch, clock, redact, headers, hooks: http, wayHint });
  const queueUrl = `${baseUrl}/accounts/${accountId}/queues/${queueId}`;
  const post = (action: Action, path: string): Endpoint => ({ action, method: 'POST', url: `${queueUrl}${path}` });
  const endpoints = {
    push: post('push', '/messages'),
    bulkPush: post('bulk push', '/messages/batch'),
    pull: post('pull', '/messages/pull'),
    ack: post('ack', '/messages/ack'),
    peek: post('peek', '/messages/peek'),
    purge: post('purge', '/messages/purge'),
    metrics: { action: 'read metrics', method: 'GET', url: `${queueUrl}/metrics` },
  } as const;

  /** Sends the request and gives back the `result` of its answer. */
  const call = async (request: HttpRequest, callOptions: CallOptions | undefined): Promise<unknown> => {
    const answer = await send(request, callOptions);
    const envelope = decodeEnvelope(answer.text);
    if (isOk(answer) && envelope?.success === true) return envelope.result;
    throw failureOf({ action: request.action, envelope, ...answer }, { queueId, redact, wayHint });
  };

  return {
    push: async (message, callOptions) =>
      decodePushResult(await call({ body: encodePush(message), ...endpoints.push }, callOptions)),
    bulkPush: async (request, callOptions) =>
      decodePushResult(await call({ body: encodeBulkPush(request), ...endpoints.bulkPush }, callOptions)),
    pull: async (request, callOptions) =>
      decodePullResult(await call({ body: encodePull(request), ...endpoints.pull }, callOptions)),
    ack: async (request, callOptions) =>
      decodeAckResult(await call({ body: encodeAck(request), ...endpoints.ack }, callOptions), request),
    peek: async (request, callOptions) =>
      decodePeekResult(await call({ body: encodePeek(request), ...endpoints.peek }, callOptions)),
    purge: async (request, callOptions) => {
      const result = await call({ body: encodePurge(request), ...endpoints.purge }, callOptions);
      const { warnings, errors } = decodePurgeResult(result, request);
      if (errors.length === 0) return { warnings };
      // The port has no place for errors of a purge that was answered with 200, and losing them would be worse.
      throw failureOf(
        { action: 'purge', status: 200, envelope: { success: false, errors }, text: '', otherwise: 'refused' },
        { queueId, redact },
      );
    },
    metrics: async (callOptions) => {
      const result = await call(endpoints.metrics, callOptions);
      const metrics = decodeMetrics(result);
      if (metrics !== undefined) return metrics;
      throw lacking('read metrics', 'backlog count');
    },
  };
}

/** A request without its body. */
type Endpoint = Omit<HttpRequest, 'body'>;
