#!/usr/bin/env node
/** The command line: what it names is decided here, and only that is loaded. */
import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { spareMemory } from './cli/spare-memory.ts';

spareMemory(process.argv[2]);

// Hashing, compression and files share Node's pool of threads. It is made on first use, so its size is set before anything else.
process.env['UV_THREADPOOL_SIZE'] ??= String(Math.max(8, availableParallelism() + 4));

// What is short-lived stays in little memory. V8 would let the space for it grow to 100 MB and more, and win no time by it.
setFlagsFromString('--semi-space-growth-factor=1');
// Nor may garbage grow to several times what is in use before it is collected, which took 100 MB at 100,000 tables. A manager has much
// in use and little garbage, and would only collect more often.
if (process.argv[2] !== 'manager') setFlagsFromString('--heap-growing-percent=15');

const { main } = await import('./cli/main.ts');
process.exitCode = await main(process.argv.slice(2));
