// Consumes until it is killed or the queue has been empty for twice a lease, and prints the body of every message whose
// handler has finished.
// Started with: the path of the built library, and the options of openQueue as JSON.
import { pathToFileURL } from 'node:url';

const [library, connection] = process.argv.slice(2);
const { openQueue } = await import(pathToFileURL(library).href);
const queue = openQueue(JSON.parse(connection));

await queue.process(
  async (message) => {
    await new Promise((resolve) => setTimeout(resolve, message.body % 5));
    // A pipe keeps what was written before the process was killed.
    process.stdout.write(`${message.body}\n`);
  },
  { concurrency: 20, visibilityTimeoutMs: 500, maxRetries: 100, maxIdleMs: 250, stopWhenEmpty: { forMs: 1_000 } },
);
