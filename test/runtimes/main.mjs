// For runtimes with a command line: what to do comes as JSON, and what came of it goes to standard output. Then it ends by
// itself, or its test does not.
import { perform } from './program.mjs';

const [job] = (globalThis.Deno?.args ?? process.argv).slice(-1);
console.log(JSON.stringify(await perform(JSON.parse(job))));
