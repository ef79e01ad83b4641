import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createNoopMeter, type Meter } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { observeWithOpenTelemetry } from '../../src/opentelemetry.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/observability.md'), 'utf8');

/** The metrics that an observer makes, with kind and unit. */
function madeMetrics(): string[] {
  const made: string[] = [];
  const noop = createNoopMeter();
  const noting =
    (kind: string) =>
    (name: string, options: { readonly unit?: string } = {}) => {
      made.push(`${name} ${kind} ${options.unit}`);
      return noop.createHistogram(name);
    };
  const meter = {
    createHistogram: noting('histogram'),
    createCounter: noting('counter'),
    createObservableCounter: noting('counter'),
    createObservableGauge: noting('gauge'),
    addBatchObservableCallback: () => undefined,
  } as unknown as Meter;
  observeWithOpenTelemetry({ meterProvider: { getMeter: () => meter } });
  return made;
}

describe('docs/observability.md', () => {
  it('has each metric, with its kind and its unit', () => {
    const rows = page.matchAll(/^\| `(?<name>[\w.]+)` +\| (?<kind>\w+) +\| `(?<unit>[\w{}]+)` +\|/gm);
    const told = [...rows].map(({ groups }) => `${groups?.['name']} ${groups?.['kind']} ${groups?.['unit']}`);
    expect(told.toSorted()).toEqual(madeMetrics().toSorted());
  });
});
