/** What the commands exit with. `--help` of every command shows this. */
export const exitCodes = {
  done: 0,
  /** The service, the network or the system failed. */
  failed: 1,
  /** Wrong options or wrong input; nothing was sent after it was found. */
  wrongInput: 2,
  /** All was tried, and not all of it went through: the output says what was left. */
  incomplete: 3,
  /** Ended by SIGINT or SIGTERM; what was begun was finished. */
  interrupted: 130,
} as const;

/** The part of `--help` about them. */
export const exitCodeHelp = `
Exit codes:
  0    done
  1    the service, the network or the system failed
  2    wrong options or wrong input
  3    not all of it went through; the output says what was left
  130  interrupted; what was begun was finished first
`;

/** The user's mistake, told without a stack. */
export class InputError extends Error {
  override readonly name = 'InputError';
}
