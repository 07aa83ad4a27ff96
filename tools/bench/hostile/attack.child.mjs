/**
 * Attacks an edge: reads `{url, victims, connections, perSecond, seconds}` as JSON from standard input, keeps up to `connections` connections open by making at
 * most `perSecond` new ones, each with an attack of its own, and prints what it did as JSON. Ends by itself.
 */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { ATTACKS } from './attacks.mjs';

/** How long an attack goes on when the edge does not end it. */
const MOST_MS = 20_000;

const STEP_MS = 20;

const { url, victims, connections, perSecond, seconds } = JSON.parse(await text(process.stdin));
const { hostname, port, pathname } = new URL(url);
const kinds = Object.entries(ATTACKS);
const open = new Set();
const seen = { made: 0, refusedByEdge: 0, failed: 0, mostOpen: 0 };

function attack(index) {
  const [, act] = kinds[index % kinds.length];
  const victim = `${pathname}${victims[index % victims.length]}`;
  const socket = connect({ host: hostname, port: Number(port) });
  open.add(socket);
  seen.made += 1;
  seen.mostOpen = Math.max(seen.mostOpen, open.size);
  const deadline = setTimeout(() => socket.destroy(), MOST_MS);
  socket.on('error', ({ code }) => (code === 'ECONNREFUSED' || code === 'EMFILE' ? (seen.failed += 1) : (seen.refusedByEdge += 1)));
  socket.on('close', () => {
    clearTimeout(deadline);
    open.delete(socket);
  });
  socket.on('data', () => {});
  socket.on('connect', () => act(socket, { base: pathname, victim, own: `${pathname}attack-${index % 50}` }));
}

const untilMs = performance.now() + seconds * 1000;
let due = 0;
while (performance.now() < untilMs) {
  due = Math.min(due + (perSecond * STEP_MS) / 1000, perSecond / 10);
  for (; due >= 1 && open.size < connections; due -= 1) attack(seen.made);
  await new Promise((resolve) => {
    setTimeout(resolve, STEP_MS);
  });
}
for (const socket of open) socket.resetAndDestroy();
process.stdout.write(`${JSON.stringify(seen)}\n`, () => process.exit(0));
