/** When something happened in a run. */
export interface Moment {
  /** Its place in the order of everything that happened. */
  readonly seq: number;
  /** In true time. */
  readonly at: number;
}
