// What the page does to move dead letters back. It leases them, and holds none beyond its lease.

const batchSize = 50;
const leaseMs = 60_000;
// The parts of a lease that are kept: for giving back what can't be moved, and for a push to end in time.
const givingBackMs = leaseMs / 2;
const pushMs = leaseMs / 4;
// What was pushed must not be there twice for an acknowledgement that fails in passing.
const ackTries = 3;

const canPush = (message) => pushOf(message) !== undefined;

/**
 * Each message is acknowledged once it was pushed. What HTTP can't push is given back, and what there is no time for.
 *
 * @param callQueue - calls the broker: a queue, the end of a path, a body
 * @param job - the queues, and `now`: elapsed time in milliseconds
 * @returns how many were moved, how many were pushed and perhaps not acknowledged, how many of those that were leased
 * were left, which can't be moved and why, and why it stopped before the end
 */
export async function redrive(callQueue, { from, to, now }) {
  // By message id; the lease that ends first is in front.
  const held = new Map();
  const unmoved = new Map();
  const firstEnd = () => held.values().next().value?.endsAt ?? Infinity;
  let moved = 0;
  let copied = 0;
  const acknowledge = async ({ lease_id }, triesLeft = ackTries) => {
    try {
      await callQueue(from, '/messages/ack', { acks: [{ lease_id }] });
    } catch (error) {
      if (triesLeft <= 1) throw error;
      await acknowledge({ lease_id }, triesLeft - 1);
    }
  };
  const move = async (message) => {
    await callQueue(to, '/messages', pushOf(message));
    held.delete(message.id);
    copied += 1;
    await acknowledge(message);
    copied -= 1;
    moved += 1;
  };
  const pullAll = async () => {
    for (;;) {
      if (firstEnd() - now() < givingBackMs) return 'its leases were about to end: again for more';
      const { messages: next } = await callQueue(from, '/messages/peek', { batch_size: batchSize });
      if (next.some((message) => !canPush(message) && message.attempts >= from.maxRetries)) {
        return "a message that can't be moved is on its last attempt";
      }
      const endsAt = now() + leaseMs;
      const request = { batch_size: batchSize, visibility_timeout_ms: leaseMs };
      const { messages } = await callQueue(from, '/messages/pull', request);
      if (messages.length === 0) return undefined;
      const isAgain = messages.some(({ id }) => held.has(id));
      for (const { id, lease_id } of messages) {
        held.delete(id);
        held.set(id, { lease_id, endsAt });
      }
      for (const message of messages) if (!canPush(message)) unmoved.set(message.id, whyNot(message));
      for (const message of messages.filter(canPush)) if (firstEnd() - now() >= pushMs) await move(message);
      if (isAgain) return 'a message came again although it was leased';
    }
  };
  try {
    const reason = await pullAll().catch(messageOf);
    return { moved, copied, left: held.size, unmoved: [...unmoved.values()], reason };
  } finally {
    const retries = [...held.values()].filter(({ endsAt }) => endsAt > now());
    for (let start = 0; start < retries.length; start += batchSize) {
      const some = retries.slice(start, start + batchSize).map(({ lease_id }) => ({ lease_id, delay_seconds: 0 }));
      // What is not given back comes back by itself.
      await callQueue(from, '/messages/ack', { retries: some }).catch(() => undefined);
    }
  }
}

/** @param {unknown} error */
const messageOf = (error) => (error instanceof Error ? error.message : String(error));

const typeOf = ({ metadata }) => metadata['CF-Content-Type'];

const whyNot = (message) => `${message.id} can't be moved: HTTP push takes text and JSON, and it is ${typeOf(message)}`;

/** The request that pushes the same body, digit for digit; `undefined` where there is none. */
function pushOf(message) {
  if (typeOf(message) === 'text') return textPush(message.body);
  if (typeOf(message) !== 'json') return undefined;
  const json = [message.body, unwrapped(message.body)].find(isJson);
  if (json === undefined) return undefined;
  const value = JSON.parse(json);
  // HTTP takes no string as JSON.
  return typeof value === 'string' ? textPush(value) : `{"body":${json},"content_type":"json"}`;
}

function textPush(body) {
  return JSON.stringify({ body, content_type: 'text' });
}

function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** JSON comes as it is or in base64: the broker gives either. */
function unwrapped(text) {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
  } catch {
    return '';
  }
}
