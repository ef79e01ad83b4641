import { type HrTime, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { escape, svg } from './svg.ts';

const title = 'A span a row, below its parent; dashed: what it links to';
const margin = { x: 12, top: 40, bottom: 12 };
const names = { width: 214, indent: 14 };
const bar = { height: 14, pitch: 22, width: 520 };

const light = `
  .app { fill: #afb8c1; }
  .producer { fill: #1971c2; }
  .client { fill: #6e7781; }
  .consumer { fill: #2f9e44; }
  .failed { fill: #d9480f; }
  .link { stroke: #6e7781; stroke-dasharray: 2 3; fill: none; }`;

const dark = `
    .app { fill: #565e68; }
    .producer { fill: #74c0fc; }
    .client { fill: #9198a1; }
    .consumer { fill: #69db7c; }
    .failed { fill: #ff922b; }
    .link { stroke: #9198a1; }`;

interface Row {
  readonly span: ReadableSpan;
  readonly depth: number;
}

/** Draws exported spans as an SVG: each below its parent, in the order in which they began, on one scale of time. */
export function waterfall(spans: readonly ReadableSpan[]): string {
  const rows = rowsOf(spans, undefined, 0);
  const from = Math.min(...spans.map(({ startTime }) => toMs(startTime)));
  const until = Math.max(...spans.map(({ endTime }) => toMs(endTime)));
  const xOf = (time: HrTime): number => margin.x + names.width + ((toMs(time) - from) / (until - from)) * bar.width;
  const yOf = (index: number): number => margin.top + index * bar.pitch;
  const indexes = new Map(rows.map(({ span }, index) => [span.spanContext().spanId, index]));
  const links = rows.flatMap(({ span }, index) =>
    span.links.flatMap(({ context: { spanId } }) => {
      const linked = indexes.get(spanId);
      if (linked === undefined || spanId === span.parentSpanContext?.spanId) return [];
      const [x, y, fromY] = [xOf(span.startTime), yOf(index) + bar.height / 2, yOf(linked) + bar.height / 2];
      return `<path class="link" d="M${point(xOf(rows[linked]?.span.endTime ?? span.startTime), fromY)} L${point(x, y)}"/>`;
    }),
  );
  const width = 2 * margin.x + names.width + bar.width + 60;
  const height = yOf(rows.length) + margin.bottom;
  const drawn = [...rows.map((row, index) => drawRow(row, yOf(index), xOf)), ...links];
  return svg({ title, width, height, x: margin.x, style: { light, dark }, drawn });
}

function rowsOf(spans: readonly ReadableSpan[], parent: string | undefined, depth: number): readonly Row[] {
  const known = new Set(spans.map((span) => span.spanContext().spanId));
  return spans
    .filter(({ parentSpanContext: above }) => (above && known.has(above.spanId) ? above.spanId : undefined) === parent)
    .toSorted((a, b) => toMs(a.startTime) - toMs(b.startTime))
    .flatMap((span) => [{ span, depth }, ...rowsOf(spans, span.spanContext().spanId, depth + 1)]);
}

function drawRow({ span, depth }: Row, y: number, xOf: (time: HrTime) => number): string {
  const [x, end] = [xOf(span.startTime), xOf(span.endTime)];
  const tookMs = toMs(span.endTime) - toMs(span.startTime);
  const baseline = y + bar.height - 3;
  return [
    `<text x="${margin.x + depth * names.indent}" y="${baseline}">${escape(span.name)}</text>`,
    `<rect class="${kindOf(span)}" x="${x.toFixed(1)}" y="${y}" width="${Math.max(2, end - x).toFixed(1)}" height="${bar.height}" rx="2"/>`,
    `<text x="${(end + 5).toFixed(1)}" y="${baseline}">${tookMs < 10 ? tookMs.toFixed(1) : tookMs.toFixed(0)} ms</text>`,
  ].join('\n');
}

function kindOf({ kind, status }: ReadableSpan): string {
  if (status.code === SpanStatusCode.ERROR) return 'failed';
  if (kind === SpanKind.PRODUCER) return 'producer';
  if (kind === SpanKind.CONSUMER) return 'consumer';
  return kind === SpanKind.CLIENT ? 'client' : 'app';
}

const toMs = ([seconds, nanoseconds]: HrTime): number => seconds * 1e3 + nanoseconds / 1e6;

const point = (x: number, y: number): string => `${x.toFixed(1)} ${y.toFixed(1)}`;
