import type { PulledMessage } from '../../contract/message.ts';

/** The answer to a pull. */
export interface PullAnswer {
  readonly messages: readonly PulledMessage[];
  readonly sentAt: number;
  /** When it came. */
  readonly answeredAt: number;
  readonly visibilityTimeoutMs: number;
  /** Whether nothing was in hand when it was sent and nothing has come since. */
  readonly isAlone: boolean;
}

/** When the leases that a pull brings end, in steady milliseconds. */
export function leasesEndAt({
  sentAt,
  visibilityTimeoutMs,
}: Pick<PullAnswer, 'sentAt' | 'visibilityTimeoutMs'>): number {
  return sentAt + visibilityTimeoutMs;
}
