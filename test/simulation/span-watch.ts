import { context, type Span, trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Observer, Operation, Processing, ProcessStart } from '../../src/contract/observer.ts';
import type { LeasedMessage } from '../../src/consumer/handing-out/leased-message.ts';
import { observeWithOpenTelemetry } from '../../src/opentelemetry.ts';
import type { ClientRun } from './client.ts';
import type { Start } from './handler-log.ts';
import type { Surface } from './surface.ts';
import type { Watch } from './watch.ts';

/** Work as the observer was told of it. */
interface Work {
  readonly ids: readonly string[];
  readonly isRun: boolean;
  ends: number;
}

/** A handler's start, with the span that was active then. */
interface Seen {
  readonly ids: readonly string[];
  readonly active: Span | undefined;
}

/** The spans of one client, and what they should be. */
export class SpanWatch implements Watch {
  readonly #exporter = new InMemorySpanExporter();
  readonly #provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.#exporter)] });
  readonly #root = this.#provider.getTracer('test').startSpan('client');
  readonly #works: Work[] = [];
  readonly #seen: Seen[] = [];
  /** How often each operation but the work ended. */
  readonly #others: { ends: number }[] = [];
  readonly observer: Observer;

  constructor() {
    const told = observeWithOpenTelemetry({ tracerProvider: this.#provider });
    this.observer = {
      ...told,
      process: (start) => this.#follow(start, told.process?.(start)),
      receive: (start) => this.#count(told.receive?.(start)),
      settle: (start) => this.#count(told.settle?.(start)),
    };
  }

  #follow({ messages, isRun }: ProcessStart, operation: Processing | undefined): Processing {
    const work: Work = { ids: messages.map(({ id }) => id), isRun, ends: 0 };
    this.#works.push(work);
    return {
      run: (run) => operation?.run?.(run),
      end(how) {
        work.ends += 1;
        operation?.end(how);
      },
    };
  }

  #count<End>(operation: Operation<End> | undefined): Operation<End> {
    const counted = { ends: 0 };
    this.#others.push(counted);
    return {
      end(how) {
        counted.ends += 1;
        operation?.end(how);
      },
    };
  }

  within<Result>(start: () => Result): Result {
    return context.with(trace.setSpan(context.active(), this.#root), start);
  }

  started(messages: readonly LeasedMessage[]): void {
    this.#seen.push({ ids: messages.map(({ id }) => id), active: trace.getActiveSpan() });
  }

  /** What is wrong with the spans of a client that has ended. */
  judge({ client, surface }: ClientRun, starts: readonly Start[]): string[] {
    const wrong = [...this.#judgeEnds(), ...this.#judgeParents(), ...this.#judgeContexts(surface)];
    const works = countOf(this.#works.flatMap(({ ids }) => ids));
    const begun = countOf(starts.filter((start) => start.client === client).map(({ messageId }) => messageId));
    for (const id of new Set([...works.keys(), ...begun.keys()])) {
      const [spans = 0, handlers = 0] = [works.get(id), begun.get(id)];
      // What is held back may be given back before its handler starts.
      const isRight = surface.holdsBack === 'never' ? spans === handlers : spans >= handlers;
      if (!isRight) wrong.push(`${id} has ${spans} process spans for ${handlers} handlers`);
    }
    return wrong.map((each) => `client ${client}: ${each}`);
  }

  #judgeEnds(): string[] {
    const wrong: string[] = [];
    for (const { ids, ends } of this.#works)
      if (ends !== 1) wrong.push(`the work on ${ids.join()} ended ${ends} times`);
    for (const { ends } of this.#others) if (ends !== 1) wrong.push(`an operation ended ${ends} times`);
    const spans = this.#exporter.getFinishedSpans().filter(({ name }) => name.startsWith('process'));
    const ids = new Set(spans.map((span) => span.spanContext().spanId));
    if (ids.size !== this.#works.length || spans.length !== ids.size)
      wrong.push(`${spans.length} process spans of ${this.#works.length} works ended`);
    return wrong;
  }

  #judgeParents(): string[] {
    const root = this.#root.spanContext();
    return this.#exporter
      .getFinishedSpans()
      .filter((span) => span.parentSpanContext?.spanId !== root.spanId || span.spanContext().traceId !== root.traceId)
      .map(({ name }) => `a span '${name}' has another parent`);
  }

  #judgeContexts({ holdsBack }: Surface): string[] {
    const spans = new Map(this.#exporter.getFinishedSpans().map((span) => [span.spanContext().spanId, span]));
    const wrong: string[] = [];
    for (const { ids, active } of this.#seen) {
      const span = spans.get(active?.spanContext().spanId ?? '');
      const areRun = ids.some((id) => this.#works.some((work) => work.isRun && work.ids.includes(id)));
      if (!areRun) {
        if (active !== this.#root) wrong.push(`the loop over ${ids.join()} was in the span ${span?.name}`);
        continue;
      }
      const named = span?.attributes['messaging.message.id'] as string | undefined;
      const isOwn = span !== undefined && (named === undefined ? span.name.startsWith('process') : ids.includes(named));
      // A stream hands on what it has kept in the context of whoever resumes or reads it.
      if (!isOwn && holdsBack !== 'for its reader')
        wrong.push(`the handler of ${ids.join()} was in the span of ${named}`);
    }
    return wrong;
  }
}

function countOf(ids: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}
