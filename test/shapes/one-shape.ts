import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';

setFlagsFromString('--allow-natives-syntax');
const haveOneFastMap = runInThisContext('(one, other) => %HasFastProperties(one) && %HaveSameMap(one, other)') as (
  one: object,
  other: object,
) => boolean;

/**
 * Whether the last two of some objects, made in the same way, have one hidden class: else each has one of its own, or none,
 * as a dictionary. Many are needed, as the first ones are made by code that has not been called often.
 */
export function haveOneShape(objects: readonly object[]): boolean {
  const [one, other] = objects.slice(-2);
  if (one === undefined || other === undefined || objects.length < 50) throw new Error('Many objects are needed');
  return haveOneFastMap(one, other);
}
