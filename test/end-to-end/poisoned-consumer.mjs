// Consumes until the queue has been empty for twice a lease; a message that says 'poison' kills the process.
// Started with: the path of the built library, and the options of openQueue as JSON.
import { pathToFileURL } from 'node:url';

const [library, connection] = process.argv.slice(2);
const { openQueue } = await import(pathToFileURL(library).href);
const queue = openQueue(JSON.parse(connection));

await queue.process(
  async ({ body }) => {
    if (body === 'poison') process.kill(process.pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 5 + (body % 20)));
  },
  { concurrency: 10, visibilityTimeoutMs: 700, maxIdleMs: 250, stopWhenEmpty: { forMs: 1_400 } },
);
