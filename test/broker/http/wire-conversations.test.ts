import { describe, expect, it } from 'vitest';
import type { WorkerMessage } from '../../../src/broker.ts';
import { type Conversation, type GivenMessage, readRecord, recordNames } from '../../wire/conversations.ts';
import { type Answer, callBroker, type CalledBroker } from '../call-broker.ts';

// Fields whose values count, not only that they are there and of which type.
const exact = new Set([
  'success',
  'code',
  'ackCount',
  'retryCount',
  'body',
  'CF-Content-Type',
  'queue_name',
  'type',
  'delivery_delay',
]);

/** What of a record an answer lacks, or has in another form: it may say more than the record does. */
function differences(recorded: unknown, answered: unknown, path = ''): readonly string[] {
  const name = path.split('.').at(-1) ?? '';
  if (Array.isArray(recorded)) {
    if (!Array.isArray(answered) || answered.length !== recorded.length)
      return [`${path}: ${JSON.stringify(answered)}`];
    return recorded.flatMap((each, index) => differences(each, answered[index], `${path}.${index}`));
  }
  if (typeof recorded === 'object' && recorded !== null) {
    if (typeof answered !== 'object' || answered === null) return [`${path}: ${JSON.stringify(answered)}`];
    const fields = Object.entries(recorded);
    return fields.flatMap(([key, value]) => differences(value, (answered as never)[key], `${path}.${key}`));
  }
  const isSame = exact.has(name) ? recorded === answered : typeof recorded === typeof answered;
  return isSame ? [] : [`${path}: ${JSON.stringify(answered)} in the place of ${JSON.stringify(recorded)}`];
}

const pushed = ({ body, ...rest }: GivenMessage): WorkerMessage => ({
  ...rest,
  body: rest.contentType === 'bytes' ? Buffer.from((body as { bytes: string }).bytes, 'base64') : body,
});

/** Puts leases and refs of messages in the place of those of the record, but for those that it has warnings for. */
async function withTokens({ post, broker }: CalledBroker, { request, answer }: Conversation): Promise<unknown> {
  let text = JSON.stringify(request);
  const warnings = JSON.stringify((answer.result as { readonly warnings?: unknown } | null)?.warnings ?? {});
  const tokens = [...text.matchAll(/"(lease_id|ref)":"([^"]+)"/g)];
  for (const [, kind = '', recorded = ''] of tokens) {
    if (warnings.includes(recorded)) continue;
    broker.push('jobs', { body: recorded });
    const { json } = await post(kind === 'ref' ? '/messages/peek' : '/messages/pull', { batch_size: 1 });
    text = text.replaceAll(`"${recorded}"`, JSON.stringify(json.result.messages[0][kind]));
  }
  return JSON.parse(text);
}

async function hold(conversation: Conversation): Promise<Answer> {
  const { given, behaviour, method, request } = conversation;
  const called = callBroker(given.settings, behaviour);
  const { broker, send } = called;
  for (const message of given.messages ?? []) broker.push('jobs', pushed(message));
  const { accountId, queueId, baseUrl, apiToken } = broker.queue('jobs');
  if (given.isPurged === true) await called.post('/purge', { delete_messages_permanently: true });
  const { json } = await called.get('/consumers');
  const ids = new Map([
    ['ACCOUNT_ID', accountId],
    ['QUEUE_ID', queueId],
    ['CONSUMER_ID', json.result[0]?.consumer_id],
    ['SUBSCRIPTION_ID', given.subscription === undefined ? undefined : broker.subscribe('jobs', given.subscription)],
  ]);
  const withIds = (text: string): string =>
    text.replaceAll(/(?:ACCOUNT|QUEUE|CONSUMER|SUBSCRIPTION)_ID/g, (name) => String(ids.get(name)));
  const path = withIds(conversation.path);
  const body = request === undefined ? {} : { body: withIds(JSON.stringify(await withTokens(called, conversation))) };
  const headers = { authorization: `Bearer ${apiToken}` };
  return send(baseUrl + path, { method, headers, ...body });
}

describe.each(recordNames)('the broker in the recorded conversations of %s', (name) => {
  const { conversations } = readRecord(name);
  it.each(conversations.filter(({ onlyClient }) => onlyClient === undefined))(
    'answers: $name',
    async (conversation) => {
      const { status, json } = await hold(conversation);
      expect(status).toBe(conversation.status);
      expect(differences(conversation.answer, json)).toEqual([]);
    },
  );

  it('is told of each where it is from, and of each that it can not have why', () => {
    for (const { source, onlyClient } of conversations) {
      expect(source).toMatch(/\w+\.\w+|\w+\/\w+|live service/);
      expect(onlyClient ?? 'a reason').not.toBe('');
    }
    const names = conversations.map((conversation) => conversation.name);
    expect(new Set(names).size).toBe(names.length);
  });
});
