import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One row of the table in docs/operations.md: what a rate needs and costs. */
export interface ScaleRow {
  readonly messagesPerSecond: number;
  readonly handlerMs: number;
  readonly processes: number;
  readonly concurrency: number;
  /** By the round trip in milliseconds. */
  readonly requestsPerThousand: Readonly<Record<RoundTripMs, number>>;
  readonly operationsPerThousand: Readonly<Record<RoundTripMs, number>>;
}

/** The round trips that the table is about, in milliseconds. */
export type RoundTripMs = 20 | 100;

/** Reads the table under "How many processes does a rate need?". */
export function readScaleTable(): readonly ScaleRow[] {
  const page = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');
  const [, section = ''] = page.split('## How many processes does a rate need?');
  const lines = section.split('\n## ')[0]?.split('\n') ?? [];
  const rows = lines
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, rate]) => /^\d/.test(rate ?? ''));
  return rows.map(([, rate, handler, processes, concurrency, requests, operations]) => ({
    messagesPerSecond: number(rate),
    handlerMs: milliseconds(handler),
    processes: number(processes),
    concurrency: number(concurrency),
    requestsPerThousand: byRoundTrip(requests),
    operationsPerThousand: byRoundTrip(operations),
  }));
}

function number(cell = ''): number {
  if (!/^\d[\d ]*$/.test(cell)) throw new Error(`Cannot read the table as '${cell}' is no number`);
  return Number(cell.replaceAll(' ', ''));
}

function milliseconds(cell = ''): number {
  const { value, unit } = /^(?<value>[\d ]+) (?<unit>m?s)$/.exec(cell)?.groups ?? {};
  return number(value) * (unit === 's' ? 1_000 : 1);
}

function byRoundTrip(cell = ''): Readonly<Record<RoundTripMs, number>> {
  const [short, long] = cell.split(' / ');
  return { 20: number(short), 100: number(long) };
}

/** What the formulas of that page give for a rate. */
export function planScale(messagesPerSecond: number, handlerMs: number): ScaleRow {
  const busy = (messagesPerSecond * handlerMs) / 1_000;
  const processes = Math.ceil(Math.max(messagesPerSecond / 2_500, withReserve(busy) / 1_000));
  const perThousand = (perSecond: number): number => (perSecond * processes * 1_000) / messagesPerSecond;
  const rate = messagesPerSecond / processes;
  const requests = (seconds: number): number => twoDigits(perThousand(requestsPerSecond(rate, seconds)));
  const operations = (seconds: number): number => tens(3_000 + perThousand(emptyPullsPerSecond(rate, seconds)));
  return {
    messagesPerSecond,
    handlerMs,
    processes,
    concurrency: Math.max(10, Math.ceil(withReserve(busy / processes))),
    requestsPerThousand: { 20: requests(0.02), 100: requests(0.1) },
    operationsPerThousand: { 20: operations(0.02), 100: operations(0.1) },
  };
}

/** Handlers for so many busy ones on average. */
function withReserve(busy: number): number {
  return busy + 2 * Math.sqrt(busy);
}

function requestsPerSecond(rate: number, roundTripSeconds: number): number {
  const inARow = Math.exp(rate * roundTripSeconds);
  const pulls = 1 / (roundTripSeconds + 2 / (9 + inARow));
  const settleCalls = 1 / (roundTripSeconds + (1 / rate + 0.005) / inARow);
  return Math.max(pulls, rate / 100) + Math.max(settleCalls, rate / 100);
}

function emptyPullsPerSecond(rate: number, roundTripSeconds: number): number {
  const inARow = Math.exp(rate * roundTripSeconds);
  return (1 + 9 * Math.exp(-rate * (roundTripSeconds + 0.225))) / (2 + (9 + inARow) * roundTripSeconds);
}

function twoDigits(value: number): number {
  return Number(value.toPrecision(2));
}

function tens(value: number): number {
  return Math.round(value / 10) * 10;
}
