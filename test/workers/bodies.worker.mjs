import { openQueue } from 'leasestream';
import { fromBinding } from 'leasestream/workers';

const sends = {
  json: (jobs) => jobs.send({ json: [1, 'ü', null] }, { contentType: 'json' }),
  'json-string': (jobs) => jobs.send('a "string"', { contentType: 'json' }),
  text: (jobs) => jobs.send('täxt', { contentType: 'text' }),
  bytes: (jobs) => jobs.send(new Uint8Array([0, 255, 7]), { contentType: 'bytes' }),
  v8: (jobs) => jobs.send({ map: new Map([['at', new Date(5_000)]]), big: 2n ** 70n }, { contentType: 'v8' }),
  'handle-json': (jobs) => openQueue(fromBinding(jobs)).send({ n: [1.5, 'ü'] }, { delaySeconds: 0 }),
  'handle-text': (jobs) => openQueue(fromBinding(jobs)).send('täxt'),
  'handle-batch': (jobs) => openQueue(fromBinding(jobs)).sendBatch([{ body: 'a' }, { body: { b: 1 } }]),
  // Numbers that JavaScript has not, moved as they came.
  'handle-raw': (jobs) =>
    fromBinding(jobs).transport.push({ body: rawMessage('{"id":12345678901234567890,"x":1.10}') }),
};

const encoded = Symbol.for('leasestream.encoded');

function rawMessage(text) {
  return { [encoded]: true, contentType: 'json', text, bytes: text.length };
}

export default {
  async fetch(request, env) {
    await sends[new URL(request.url).pathname.slice(1)](env.JOBS);
    return new Response('sent');
  },
};
