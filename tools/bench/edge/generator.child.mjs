/**
 * The load on one server: reads a plan (one JSON document) from standard input, runs it, prints the result as JSON, and exits. A process of its own, so
 * that it can have a core of its own and one clock for both ends of every delay.
 */
import { text } from 'node:stream/consumers';
import { idle } from './load/idle.mjs';
import { ramp } from './load/ramp.mjs';
import { steady } from './load/steady.mjs';

const LOADS = { steady, idle, ramp };
const plan = JSON.parse(await text(process.stdin));
const result = await LOADS[plan.load](plan);
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
