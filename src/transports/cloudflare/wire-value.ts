/** Any JSON object. */
export type WireRecord = Readonly<Record<string, unknown>>;

export const noFields: WireRecord = Object.freeze({});

export function isRecord(value: unknown): value is WireRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A finite number, also when it comes as a string; else what `otherwise` says. */
export function numberOr(value: unknown, otherwise: number): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : otherwise;
}
