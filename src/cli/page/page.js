import { redrive } from './redrive.js';
import { drawTrends } from './trends.js';

// The page of `leasestream serve`. It runs as it is, and shows what others pushed: text goes in as text, never as HTML.

const pollMs = 1_000;
const shownMessages = 50;

const element = (selector, within = document) => within.querySelector(selector);
const statusLine = element('#status');
const sections = new Map();
const openedAt = Date.now() - performance.now();
let token = takeToken();
let accountId = '';
let timer;
/** What the last action has to say. */
let notice = '';

/** The token of the address, which then no longer shows it, or the one of before. */
function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given !== null) {
    sessionStorage.setItem('token', given);
    history.replaceState(null, '', location.pathname);
  }
  return sessionStorage.getItem('token') ?? '';
}

/** A call of the broker, with JSON or what has a JSON form. Gives its result; throws what it says is wrong. */
async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const answer = await response.json();
  if (response.ok) return answer.result;
  throw Object.assign(new Error(answer.errors[0]?.message ?? response.statusText), { status: response.status });
}

const callQueue = (queue, path, body) =>
  call('POST', `/client/v4/accounts/${accountId}/queues/${queue.id}${path}`, body);

async function refresh() {
  clearTimeout(timer);
  try {
    const [state, history] = await Promise.all([
      call('GET', `/leasestream/queues?messages=${shownMessages}`),
      call('GET', '/leasestream/history'),
    ]);
    accountId = state.accountId;
    element('#sign-in').hidden = true;
    show(state, history);
    const count = `${state.queues.length} ${state.queues.length === 1 ? 'queue' : 'queues'}`;
    tell(notice === '' ? count : `${count} · ${notice}`, notice !== '');
  } catch (error) {
    element('#sign-in').hidden = error.status !== 401 && error.status !== 403;
    tell(error.status === 401 || error.status === 403 ? 'Which token?' : `No answer: ${error.message}`, true);
  }
  // A page that nobody looks at asks for nothing.
  if (!document.hidden) timer = setTimeout(() => void refresh(), pollMs);
}

function tell(text, failed = false) {
  statusLine.textContent = text;
  statusLine.classList.toggle('failed', failed);
}

function show({ now, queues }, history) {
  for (const [id, section] of sections) {
    if (queues.some((queue) => queue.id === id)) continue;
    section.root.remove();
    sections.delete(id);
  }
  for (const queue of queues) {
    if (!sections.has(queue.id)) sections.set(queue.id, makeSection(queue));
    const sources = queues.filter(({ deadLetterQueue }) => deadLetterQueue === queue.name);
    updateSection(sections.get(queue.id), queue, { now, sources });
    drawTrends(element('.trends', sections.get(queue.id).root), history.queues[queue.id]);
  }
}

function makeSection({ name }) {
  const root = element('#queue').content.cloneNode(true).firstElementChild;
  root.dataset.queue = name;
  element('h2', root).textContent = name;
  const section = { root, queue: undefined, sources: [] };
  element('.push', root).addEventListener('submit', (event) => {
    event.preventDefault();
    const input = event.target.elements.body;
    void act(async () => {
      await callQueue(section.queue, '/messages', messageOf(input.value));
      input.value = '';
    });
  });
  const onClick = (selector, action) => element(selector, root).addEventListener('click', () => void act(action));
  onClick('.retry', () => retry(section.queue, section.queue.messages));
  onClick('.redrive', async () => {
    const job = { from: section.queue, to: section.sources[0], now: elapsedMs };
    const { moved, copied, left, unmoved, reason } = await redrive(callQueue, job);
    const stopped = reason === undefined ? [] : [`it stopped as ${reason}`];
    const rest = [
      ...(copied === 0 ? [] : [`${copied} pushed but not acknowledged: they may be in both`]),
      ...(left === 0 ? [] : [`${left} given back`]),
    ];
    if (unmoved.length + stopped.length > 0)
      notice = [`${moved} moved to ${job.to.name}`, ...rest, ...stopped, ...unmoved].join('; ');
  });
  onClick('.purge', async () => {
    if (!confirm(`Delete all messages of ${name}?`)) return;
    await callQueue(section.queue, '/purge', { delete_messages_permanently: true });
  });
  element('#queues').append(root);
  return section;
}

/** JSON goes as JSON, digit for digit; everything else as text. */
function messageOf(text) {
  try {
    if (typeof JSON.parse(text) !== 'string') return `{"body":${text}}`;
  } catch {
    // Text, then.
  }
  return { body: text, content_type: 'text' };
}

async function act(action) {
  notice = '';
  try {
    await action();
  } catch (error) {
    notice = error.message;
  }
  await refresh();
}

/** By the larger of the two clocks: one stops while a laptop sleeps, the other can be set back. */
function elapsedMs() {
  return Math.max(performance.now(), Date.now() - openedAt);
}

async function retry(queue, messages) {
  const retries = messages
    .filter(({ leaseId }) => leaseId !== undefined)
    .map(({ leaseId }) => ({ lease_id: leaseId, delay_seconds: 0 }));
  if (retries.length > 0) await callQueue(queue, '/messages/ack', { retries });
}

function updateSection(section, queue, { now, sources }) {
  const { root } = section;
  Object.assign(section, { queue, sources });
  element('.about', root).textContent = aboutQueue(queue, sources);
  element('.counts', root).replaceChildren(
    ...['ready', 'delayed', 'leased', 'total'].flatMap((name) => {
      const group = document.createElement('div');
      group.append(textElement('dt', name), textElement('dd', String(queue.counts[name]), name));
      return [group];
    }),
  );
  element('.retry', root).disabled = queue.counts.leased === 0;
  const button = element('.redrive', root);
  button.hidden = sources.length !== 1 || queue.counts.total === 0;
  button.textContent = `Move all back to ${sources[0]?.name ?? ''}`;
  element('table', root).hidden = queue.messages.length === 0;
  element('tbody', root).replaceChildren(...queue.messages.map((message) => row(message, { section, now })));
  const hidden = queue.counts.total - queue.messages.length;
  element('.more', root).hidden = hidden === 0;
  element('.more', root).textContent = `and ${hidden} more`;
}

function aboutQueue({ id, deadLetterQueue, maxRetries, deliveryPaused, httpPull }, sources) {
  const parts = [
    id,
    `${maxRetries} retries`,
    deadLetterQueue === undefined ? 'no dead letter queue' : `dead letters go to ${deadLetterQueue}`,
    ...(sources.length === 0 ? [] : [`dead letters of ${sources.map(({ name }) => name).join(', ')}`]),
    ...(deliveryPaused ? ['paused'] : []),
    ...(httpPull ? [] : ['no HTTP pull consumer']),
  ];
  return parts.join(' · ');
}

function row(message, { section, now }) {
  const { state, body, attempts, timestampMs, visibleAtMs, leaseId } = message;
  const cells = [
    textElement('td', state, state),
    textElement('td', body, 'body'),
    textElement('td', String(attempts)),
    textElement('td', showMs(now - timestampMs)),
    textElement('td', state === 'ready' ? '' : `${timeOf(visibleAtMs)} (${showMs(visibleAtMs - now)})`, 'until'),
    document.createElement('td'),
  ];
  if (leaseId !== undefined) {
    const button = textElement('button', 'Retry');
    button.type = 'button';
    button.addEventListener('click', () => void act(() => retry(section.queue, [message])));
    cells.at(-1).append(button);
  }
  const tr = document.createElement('tr');
  tr.append(...cells);
  return tr;
}

function textElement(name, text, className = '') {
  const made = document.createElement(name);
  made.textContent = text;
  if (className !== '') made.className = className;
  return made;
}

function timeOf(ms) {
  return new Date(ms).toLocaleTimeString();
}

function showMs(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

element('#sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  token = event.target.elements.token.value;
  sessionStorage.setItem('token', token);
  void refresh();
});
document.addEventListener('visibilitychange', () => void refresh());
void refresh();
