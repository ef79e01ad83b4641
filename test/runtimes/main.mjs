// For runtimes with a command line: what to do comes as JSON, and what came of it goes to standard output. Then it ends by
// itself, or its test does not.
import { refusals, run } from './program.mjs';

const { connections, addresses, forMs } = JSON.parse((globalThis.Deno?.args ?? process.argv.slice(2)).at(-1));
console.log(JSON.stringify(addresses === undefined ? await run(connections) : await refusals(addresses, forMs)));
