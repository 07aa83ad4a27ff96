/**
 * The loads, with the figures of each; every one can be changed by an option of the same name. `channels` publishers; `readers` a channel; `perSecond`
 * segments a channel; a segment is `writes` writes that are spread over its time.
 */
export const SCENARIOS = {
  'real-time': { load: 'steady', channels: 150, readers: 1, perSecond: 30, bytes: 8192, writes: 1 },
  'fan-out': { load: 'steady', channels: 1, readers: 500, perSecond: 10, bytes: 51_200, writes: 5 },
  bulk: { load: 'steady', channels: 4, readers: 2, perSecond: 5, bytes: 1_048_576, writes: 32 },
  idle: { load: 'idle', channels: 100, readers: 100, perSecond: 1, bytes: 8192, writes: 1 },
  overload: { load: 'ramp', channels: 150, readers: 1, perSecond: 30, bytes: 4096, writes: 1 },
  /** How much the generator can do: the load of `overload` on the sink alone. */
  generator: { load: 'ramp', channels: 150, readers: 1, perSecond: 30, bytes: 4096, writes: 1, servers: ['sink'] },
};

/** What runs when nothing is named. */
export const USUAL = ['real-time', 'fan-out', 'bulk', 'idle', 'overload'];

/** File descriptors that a process keeps for other things than connections. */
const SPARE_FILES = 200;

/** Readers a channel that fit under the limit of open files, with two connections for each publisher. */
function readersWithin({ channels, readers, connections, fileLimit }) {
  if (fileLimit === null) return readers;
  return Math.max(1, Math.min(readers, Math.floor(((fileLimit - SPARE_FILES) / channels - 2) / connections)));
}

/** The plan of a scenario: what the generator is told besides the server. `options` has what the user gave, by the names of the scenario's figures. */
export function planOf(name, options, fileLimit) {
  const scenario = { ...SCENARIOS[name] };
  for (const key of ['channels', 'readers', 'perSecond', 'bytes', 'writes']) if (options[key] !== undefined) scenario[key] = options[key];
  const { load, channels, perSecond, bytes, writes } = scenario;
  // A reader that only waits has one connection.
  const readers = readersWithin({ ...scenario, connections: load === 'idle' ? 1 : 2, fileLimit });
  return {
    load,
    channels,
    readers,
    ...(readers < scenario.readers && { readersWanted: scenario.readers }),
    perSecond,
    writes,
    writeBytes: Math.max(16, Math.round(bytes / writes)),
    seconds: load === 'ramp' ? options.stepSeconds : options.seconds,
    warmSeconds: options.warmSeconds,
    ...(load === 'idle' && { settleSeconds: options.settle }),
    ...(load === 'ramp' && { from: options.from, steps: options.steps }),
  };
}

/** The servers that a scenario is for, as far as the user wants them. */
export function serversFor(name, { servers, wanted }) {
  const names = SCENARIOS[name].servers ?? wanted;
  return servers.filter((server) => (names === null ? server.name !== 'sink' : names.includes(server.name)));
}

/** The order of the servers in a rep: another one begins each time, so that a slow drift of the machine meets all of them. */
export function rotated(servers, rep) {
  const at = rep % servers.length;
  return [...servers.slice(at), ...servers.slice(0, at)];
}
