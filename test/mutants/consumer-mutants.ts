import type { Mutant } from './mutant.ts';

const answerTimes = 'src/consumer/pulling/answer-times.ts';
const closing = 'src/consumer/closing/closing.ts';
const demand = 'src/consumer/pulling/demand.ts';
const engine = 'src/consumer/engine.ts';
const handouts = 'src/consumer/handing-out/handouts.ts';
const intake = 'src/consumer/intake/intake.ts';
const process = 'src/consumer/handing-out/process.ts';
const processBatches = 'src/consumer/handing-out/process-batches.ts';
const puller = 'src/consumer/pulling/puller.ts';
const pullFailures = 'src/consumer/pulling/pull-failures.ts';
const pullsUnderWay = 'src/consumer/pulling/pulls-under-way.ts';
const releases = 'src/consumer/handing-out/releases.ts';
const shutdown = 'src/consumer/closing/shutdown.ts';
const takeBatch = 'src/consumer/handing-out/take-batch.ts';
const steadyTime = 'src/consumer/steady-time.ts';
const turnWork = 'src/consumer/turn-work.ts';
const turns = 'src/consumer/turns.ts';

/** Faults of the consumer but in how it settles. */
export const consumerMutants: readonly Mutant[] = [
  {
    name: 'a start is not told to what limits starts',
    file: handouts,
    find: 'for (const limit of this.#deps.limits) limit.onStarted(lease, now);',
    replace: '',
    invariant: 13,
  },
  {
    name: 'a batch does not wait until all of it may start',
    file: takeBatch,
    find: '(holdings.buffered < size || nextStartAt < Infinity)',
    replace: 'holdings.buffered < size',
  },
  {
    name: 'company is waited for from those that wait for their acknowledgements',
    file: turnWork,
    find: 'if (lease.settledAs === undefined) return false;',
    replace: 'if (lease.id !== undefined) return false;',
  },
  {
    name: 'company is waited for from handlers that are all at work',
    file: turnWork,
    find: 'mayStart && handouts.handlers.idle(this.#time.recent()) > 0',
    replace: 'mayStart',
  },
  {
    name: 'what signals cause that were aborted late is not waited for',
    file: shutdown,
    find: 'Math.max(this.#leasesEndBy + afterAbortMs, abandonAt)',
    replace: 'this.#leasesEndBy + afterAbortMs',
  },
  {
    name: 'the event loop is not yielded after a stretch of work',
    file: turnWork,
    find: 'this.#host.isPaused || this.#isKept(now)) return undefined;',
    replace: 'this.#host.isPaused) return undefined;',
  },
  {
    name: 'a paused consumer goes on handing out to whoever asks',
    file: turnWork,
    find: 'closing.hasBegun || this.#host.isPaused || this',
    replace: 'closing.hasBegun || this',
  },
  {
    name: 'finished and unconfirmed messages are without bound',
    file: demand,
    find: 'settler.unconfirmed >= 4 * options.maxInFlight && ',
    replace: 'settler.unconfirmed < 0 && ',
  },
  {
    name: 'the listener on the signal stays after the end',
    file: 'src/consumer/closing/heeded-signal.ts',
    find: 'this.#unheed?.();',
    replace: '',
    invariant: 7,
  },
  {
    name: 'the timers of a closed consumer go on',
    file: engine,
    find: 'this.#turns.cancel();',
    replace: '',
    invariant: 7,
  },
  {
    name: 'a pull that one with messages overtook tells that the queue is empty',
    file: pullsUnderWay,
    find: 'for (const pull of this.#pulls) pull.isAlone = false;',
    replace: '',
  },
  {
    name: 'a consumer ends as empty while a settlement is unconfirmed',
    file: demand,
    find: ' + settler.unconfirmed === 0',
    replace: ' === 0',
  },
  {
    name: 'what an ending consumer gives back wakes no other',
    file: 'src/consumer/pulling/comeback.ts',
    find: 'if (isEnding) wakes.push(1);',
    replace: '',
  },
  {
    name: 'one message more is out than may be in flight',
    file: handouts,
    find: 'stats.inFlight >= options.maxInFlight',
    replace: 'stats.inFlight > options.maxInFlight',
    invariant: 4,
  },
  {
    name: 'a message is handed out however many handlers work',
    file: handouts,
    find: 'if (this.handlers.idle(now) < 1) return undefined;',
    replace: '',
    invariant: 4,
  },
  {
    name: 'whoever asks between two turns gets what is too near its end',
    file: handouts,
    find: 'if (this.trim(now)) return undefined;\n    if (this.handlers',
    replace: 'if (this.handlers',
    invariant: 3,
  },
  {
    name: 'what is released is not given back',
    file: releases,
    find: 'if (!this.#retryKept(lease, now)) this.#release(lease, 0);',
    replace: 'void lease;',
    invariant: 7,
  },
  {
    name: 'a release waits for the delay of a failed message',
    file: releases,
    find: 'this.#release(lease, 0);',
    replace: 'this.#release(lease);',
  },
  {
    name: 'the place of a message that nobody settled is never freed',
    file: handouts,
    find: '    this.abandon(lease, now);',
    replace: '    void now;',
  },
  {
    name: 'a message that is being moved is forgotten when its lease ends',
    file: handouts,
    find: 'lease.isClaimed',
    replace: 'false',
  },
  {
    name: 'what was dropped from the buffer is not waited for before the end as empty',
    file: releases,
    find: 'leftovers.note(lease.deadline);',
    replace: '',
  },
  {
    name: 'a deadline counts from the answer, not from before the pull',
    file: puller,
    find: 'this.#deps.onAnswer({ messages, sentAt, answeredAt: now, visibilityTimeoutMs, isAlone });',
    replace: 'this.#deps.onAnswer({ messages, sentAt: now, answeredAt: now, visibilityTimeoutMs, isAlone });',
    invariant: 3,
  },
  {
    name: 'what a pull asks for is not counted while it is under way',
    file: pullsUnderWay,
    find: 'this.asked += asked;',
    replace: '',
    invariant: 4,
  },
  {
    name: 'a failed pull is repeated millisecond by millisecond',
    file: pullFailures,
    find: 'this.#backoff.fail(0.5)',
    replace: '1',
  },
  {
    name: 'what comes too late to be started is asked for again and again',
    file: answerTimes,
    find: 'if (tookMs > this.#visibilityTimeoutMs / 2) this.#lengthenLease(tookMs);',
    replace: '',
  },
  {
    name: 'a pull that is not waited for any longer stays open',
    file: pullsUnderWay,
    find: 'pull.call.giveUp();',
    replace: '',
    invariant: 7,
  },
  {
    name: 'a pull that failed leaves nothing behind at the service',
    file: puller,
    find: 'if (mayHaveTakenEffect(error)) this.#deps.leftovers.note(now + pull.visibilityTimeoutMs);',
    replace: '',
  },
  {
    name: 'what a schema has not judged is not counted as unstarted',
    file: puller,
    find: 'unstarted: holdings.buffered + held,',
    replace: 'unstarted: holdings.buffered + 0 * held,',
    invariant: 4,
  },
  {
    name: 'an invalid message is handed out',
    file: intake,
    find: 'if (error === undefined) {\n        valid.push(message);',
    replace: 'valid.push(message);\n      if (error === undefined) {',
  },
  {
    name: 'what a schema says after the lease is heeded',
    file: intake,
    find: 'if (!unjudged.messages.delete(message)) return;',
    replace: 'unjudged.messages.delete(message);',
    invariant: 8,
  },
  {
    name: 'what a schema has not judged is kept at the end',
    file: intake,
    find: 'for (const unjudged of this.#unjudged) this.#deps.accept(this.#letGo(unjudged), unjudged.answer);',
    replace: 'for (const unjudged of this.#unjudged) this.#letGo(unjudged);',
    invariant: 7,
  },
  {
    name: 'a consumer is closed while calls are under way',
    file: closing,
    find: 'if (settler.calls + puller.underWay.calls > 0 && !this.#isForsaken) return false;',
    replace: '',
    invariant: 7,
  },
  {
    name: 'what is buffered is kept until its lease ends when the consumer closes',
    file: closing,
    find: '\n    releases.drain(now);',
    replace: '',
    invariant: 7,
  },
  {
    name: 'a consumer is closed while a message is being moved',
    file: closing,
    find: 'holdings.unstarted + intake.held + settlements.claimed === 0;',
    replace: 'holdings.unstarted + intake.held === 0;',
    invariant: 7,
  },
  {
    name: 'a second close puts the end off',
    file: shutdown,
    find: 'this.#graceEndsAt = Math.min(this.#graceEndsAt, graceEndsAt);',
    replace: 'this.#graceEndsAt = graceEndsAt;',
    invariant: 7,
  },
  {
    name: 'a closing consumer gives its handlers no time',
    file: shutdown,
    find: 'this.#graceEndsAt === Infinity ? lease.deadline : this.#graceEndsAt;',
    replace: 'this.#graceEndsAt === Infinity ? now : this.#graceEndsAt;',
  },
  {
    name: 'handlers are given up without having been told',
    file: shutdown,
    find: 'const abort = isTimeUp && this.#abandonAt === undefined;',
    replace: 'const abort = false;',
  },
  {
    name: 'close() in a loop waits for the body that it is called in',
    file: shutdown,
    find: 'if (this.#endsWithSettlement && lease.settledAs !== undefined) finished.push(lease);\n      else if',
    replace: 'if',
  },
  {
    name: 'the ack is sent before the handler has ended',
    file: process,
    find: 'void finish(lease, message, work);',
    replace: "engine.complete(lease, 'ack', now);",
    invariant: 2,
  },
  {
    name: 'many hand-outs are made by one reading of the time',
    file: process,
    find: 'now = run(lease);',
    replace: 'run(lease);',
  },
  {
    name: 'handlers that end at once leave the event loop no turn',
    file: process,
    find: 'started < mostPerTurn',
    replace: 'started >= 0',
  },
  {
    name: 'a batch is acked before its handler has ended',
    file: processBatches,
    find: 'await batch.run(call);',
    replace: 'void batch.run(call);',
    invariant: 2,
  },
  {
    name: 'the place of a batch is never freed',
    file: processBatches,
    find: 'underWay -= 1;',
    replace: '',
  },
  {
    name: 'a batch waits for company until its lease is too short',
    file: takeBatch,
    find: 'Math.min(waitedUntil, lastsUntil)',
    replace: 'waitedUntil',
  },
  {
    name: 'a batch is larger than can be worked on while its first lease lasts',
    file: takeBatch,
    find: 'Math.min(bounds.size, inTime, demand',
    replace: 'Math.min(bounds.size, demand',
  },
  {
    name: 'every reason for a turn sets a timer of its own',
    file: turns,
    find: 'if (this.#next !== undefined) return;',
    replace: '',
    invariant: 7,
  },
  {
    name: 'a timer that is replaced is not cancelled',
    file: turns,
    find: 'this.#watchdog?.cancel();\n      this.#barksAt',
    replace: 'this.#barksAt',
    invariant: 7,
  },
  {
    name: 'a machine that slept is not noticed',
    file: steadyTime,
    find: 'if (lead > this.#lead) {',
    replace: 'if (lead > Infinity) {',
    invariant: 3,
  },
  {
    name: 'a machine that slept after its wall clock was set back is not noticed',
    file: steadyTime,
    find: 'lead < this.#lead - setBackMs',
    replace: 'lead < -Infinity',
    invariant: 3,
  },
  {
    name: 'a push is not owed another pull when the pull for it failed',
    file: 'src/consumer/pulling/wakes.ts',
    find: 'this.#asked -= covered;',
    replace: '',
  },
  {
    name: 'every push wakes the same consumer',
    file: 'src/consumer/pulling/wakes.ts',
    find: 'this.#consumers.delete(chosen);',
    replace: '',
  },
  {
    name: 'the first of what was let go decides when a pull tells that the queue is empty',
    file: 'src/consumer/pulling/leftovers.ts',
    find: 'Math.max(this.#leasesEndAt, leaseEndsAt)',
    replace: 'this.#leasesEndAt === -Infinity ? leaseEndsAt : this.#leasesEndAt',
  },
];
