/** What is tried, by name. */
export const checks: Readonly<Record<string, unknown>>;
