import type { Clock } from '../../contract/clock.ts';
import type { Behaviour } from '../behaviour.ts';
import type { Recorder } from '../durability/recorder.ts';
import type { Identities } from './identities.ts';
import type { JournalListener } from './journal.ts';

/** What a queue shares with its broker. */
export interface QueueContext {
  readonly clock: Clock;
  readonly identities: Identities;
  readonly behaviour: Behaviour;
  readonly random: () => number;
  /** Whether a message that is handed out now is handed out once more: a fault. */
  readonly repeats: () => boolean;
  readonly onJournal: JournalListener | undefined;
  /** Keeps what changes. Absent where all is in memory alone. */
  readonly recorder?: Recorder | undefined;
}
