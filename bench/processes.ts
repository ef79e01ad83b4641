import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** Starts a module beside this one in a process of its own. */
export function start(name: string, execArgv: string[] = [], args: readonly string[] = []): ChildProcess {
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
  return fork(new URL(`${name}.js`, import.meta.url), args, { stdio: [...stdio], execArgv });
}

/** Sends a process a request, and gives its next answer. */
export async function ask<Answer>(child: ChildProcess, request: object): Promise<Answer> {
  const over = new AbortController();
  const { signal } = over;
  const answered = once(child, 'message', { signal }) as Promise<[Answer]>;
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`The process ended with ${code} before it answered`);
  });
  child.send(request);
  try {
    return (await Promise.race([answered, ended]))[0];
  } finally {
    over.abort();
  }
}
