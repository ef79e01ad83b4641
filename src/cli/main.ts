#!/usr/bin/env node
import { runCommandLine } from './run.ts';
import { processTerminal } from './terminal.ts';

// A reader that has had enough (`leasestream pull jobs | head`) is no failure to tell of.
process.stdout.on('error', () => process.exit(1));
process.exitCode = await runCommandLine(process.argv.slice(2), processTerminal());
