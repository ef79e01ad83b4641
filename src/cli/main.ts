#!/usr/bin/env node
import { runCommandLine } from './run.ts';
import { processTerminal } from './terminal.ts';

// Whoever writes is told, and gives back what nobody read.
process.stdout.on('error', () => undefined);
process.exitCode = await runCommandLine(process.argv.slice(2), processTerminal());
// Somebody may hold it open who has nothing more to say.
process.stdin.destroy();
