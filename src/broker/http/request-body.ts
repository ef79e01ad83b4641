import { limits } from '../../contract/limits.ts';
import type { ApiRequest } from './api-exchange.ts';
import { pointerOf, refusals } from './refusal.ts';
import { readText } from './request-text.ts';

/** A JSON object of a request. Its own fields only are looked at. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What a request came with. */
export interface JsonRequest {
  readonly body: JsonObject;
  /** The body as it was written. */
  readonly text: string;
}

/**
 * @param mayBeEmpty - whether nothing counts as `{}`
 * @throws Refusal 10208 when the body is not JSON or too large, 10207 when it is no object
 */
export async function readJsonRequest(request: ApiRequest, mayBeEmpty = false): Promise<JsonRequest> {
  const text = await readText(request);
  if (text === '' && mayBeEmpty) return { body: {}, text };
  return { body: asObject(parse(text), ''), text };
}

function parse(text: string): unknown {
  if (text === '') throw refusals.malformedBody('it is empty');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw refusals.malformedBody('it is not JSON');
  }
}

/** @throws Refusal 10207 */
export function asObject(value: unknown, path: string): JsonObject {
  if (!isObject(value)) throw unexpected('object', value, path);
  return value;
}

/** The elements of an array; none when the field is absent. @throws Refusal 10207 */
export function arrayField(object: JsonObject, name: string): readonly unknown[] {
  const value = field(object, name);
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw unexpected('array', value, name);
  return value as readonly unknown[];
}

/** @throws Refusal 10207 */
export function stringField(object: JsonObject, name: string, path: string): string {
  const value = field(object, name);
  if (typeof value !== 'string') throw unexpected('string', value, path === '' ? name : `${path}.${name}`);
  return value;
}

/** An integer (`1.0` is one) in `range`; `undefined` when the field is absent. @throws Refusal 10026 */
export function integerField(
  object: JsonObject,
  name: string,
  range: readonly [least: number, most: number],
): number | undefined {
  const value = field(object, name);
  if (value === undefined || isIntegerIn(value, range)) return value;
  throw refusals.invalid(`${name} must be an integer in ${range[0]}..${range[1]}`, pointerOf(name));
}

/** As `integerField()`, of an object within the request, with a refusal of the caller's choice. */
export function integerIn(
  object: JsonObject,
  name: string,
  range: readonly [least: number, most: number],
  refuse: (problem: string) => Error,
): number | undefined {
  const value = field(object, name);
  if (value === undefined || isIntegerIn(value, range)) return value;
  throw refuse(`${name} must be an integer in ${range[0]}..${range[1]}`);
}

/** `true` or `false`; `undefined` when the field is absent. @throws what `refuse` gives */
export function booleanField(object: JsonObject, name: string, refuse: () => Error): boolean | undefined {
  const value = field(object, name);
  if (value === undefined || typeof value === 'boolean') return value;
  throw refuse();
}

/** The fields of an object within a management request; none when it is absent. @throws Refusal 10026 */
export function objectField(object: JsonObject, name: string): JsonObject {
  const value = field(object, name) ?? {};
  if (isObject(value)) return value;
  throw refusals.invalid(`${name} must be an object`, pointerOf(name));
}

/** `delay_seconds`; `undefined` when it is absent. @throws Refusal 10202 */
export function delayField(object: JsonObject, path: string): number | undefined {
  const value = field(object, 'delay_seconds');
  if (value === undefined || isIntegerIn(value, [0, limits.delaySeconds])) return value;
  throw refusals.delay(pointerOf(path === '' ? 'delay_seconds' : `${path}.delay_seconds`));
}

/** A field of an object; `null` counts as absent, since some clients send it for what they leave out. */
export function field(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? (object[name] ?? undefined) : undefined;
}

/** What a value of the wrong type is answered with. */
export function unexpected(expected: string, received: unknown, path: string): Error {
  const problem = received === undefined ? 'Required' : `Expected ${expected}, received ${typeName(received)}`;
  return refusals.unexpected(problem, path);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isIntegerIn(value: unknown, range: readonly [least: number, most: number]): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= range[0] && value <= range[1];
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
