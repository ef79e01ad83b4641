import type { InvalidAction } from '../../src/consumer/consume-options.ts';
import type { InvalidMessage } from '../../src/consumer/events.ts';
import type { Clock } from '../../src/contract/clock.ts';
import type { Schema, SchemaResult } from '../../src/contract/schema.ts';
import type { HandlerLog } from './handler-log.ts';
import { never, type ProcessClock } from './process-clock.ts';

/** How a client's schema answers. Which bodies do not fit is the schedule's matter. */
export interface SchemaPlan {
  /** How long it takes for each body, in milliseconds; `undefined` for one that does not give a promise. */
  readonly takesMs: number | undefined;
  readonly refusal: 'issues' | 'throws';
}

/** What is to become of invalid messages: always the same, or what a function says of one after the other. */
export type InvalidPlan =
  | InvalidAction
  | {
      /** How long the function takes, in milliseconds; `undefined` for one that does not give a promise. */
      readonly takesMs: number | undefined;
      /** Its answers, over and over. It fails to answer `fail`. */
      readonly answers: readonly (InvalidAction | 'fail')[];
    };

/** What a schema makes of a body that fits. */
export function parsed(body: unknown): unknown {
  return { parsed: body };
}

/** What it was made of; a body that no schema has seen is its own. */
export function parsedFrom(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'parsed' in body ? body.parsed : body;
}

interface Deps {
  readonly client: number;
  readonly clock: ProcessClock;
  readonly log: HandlerLog;
  /** For how long each call keeps the event loop, in milliseconds. @defaultValue not at all */
  readonly blocksMs?: number | undefined;
}

/** A schema that makes something else of every body that fits, and writes down what it was asked. */
export class SimulatedSchema implements Schema {
  readonly '~standard': Schema['~standard'];

  constructor({ client, clock, log, blocksMs }: Deps, plan: SchemaPlan, fits: (body: unknown) => boolean) {
    const answer = (body: unknown): SchemaResult<unknown> => {
      if (fits(body)) return { value: parsed(body) };
      if (plan.refusal === 'throws') throw new Error('the schema fails');
      return { issues: [{ message: 'does not fit', path: ['m'] }] };
    };
    const validate = (body: unknown): SchemaResult<unknown> | Promise<SchemaResult<unknown>> => {
      if (clock.hasVanished) return never();
      const judgement = log.judge(client, body);
      if (blocksMs !== undefined) log.keepLoop(blocksMs);
      const end = (): SchemaResult<unknown> => {
        log.endJudgement(judgement);
        return answer(body);
      };
      return plan.takesMs === undefined ? end() : after(clock, plan.takesMs).then(end);
    };
    this['~standard'] = { version: 1, vendor: 'simulation', validate };
  }
}

/** The `onInvalid` of a plan that has a function for it. */
export function plannedAnswers(
  { client, clock, log, blocksMs }: Deps,
  { takesMs, answers }: Exclude<InvalidPlan, InvalidAction>,
): (message: InvalidMessage) => InvalidAction | Promise<InvalidAction> {
  let asked = 0;
  return (message) => {
    if (clock.hasVanished) return never();
    const note = log.invalid(client, message);
    const answer = answers[asked % answers.length] ?? 'retry';
    asked += 1;
    if (blocksMs !== undefined) log.keepLoop(blocksMs);
    const end = (): InvalidAction => {
      log.decide(note, answer);
      if (answer === 'fail') throw new Error('onInvalid fails');
      return answer;
    };
    return takesMs === undefined ? end() : after(clock, takesMs).then(end);
  };
}

function after(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(resolve, delayMs));
}
