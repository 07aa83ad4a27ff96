import { coreBusyMs, usageOf } from '../process-usage.mjs';
import { percentile, round } from '../stats.mjs';

/** Share of a core that was not a process's own; null where that cannot be told. */
function others({ busyMs, ownMs, wallMs }) {
  return busyMs === null || ownMs === null ? null : round(Math.max(0, (busyMs - ownMs) / wallMs), 3);
}

/** Measures what server and generator use from now on; `end()` tells. Null is what cannot be told here. `cores`: see `findCores`. */
export function openWindow({ pid, cores }) {
  const startMs = performance.now();
  const server = usageOf(pid);
  const own = process.cpuUsage();
  const busyMs = [coreBusyMs(cores?.server), coreBusyMs(cores?.generator)];
  return {
    end() {
      const wallMs = performance.now() - startMs;
      const now = usageOf(pid);
      const { user, system } = process.cpuUsage(own);
      const generatorMs = (user + system) / 1000;
      const cpuMs = server === null || now === null ? null : now.cpuMs - server.cpuMs;
      const [onServer, onGenerator] = [cores?.server, cores?.generator].map((core, n) => {
        const nowMs = coreBusyMs(core);
        return nowMs === null ? null : nowMs - busyMs[n];
      });
      return {
        cpuMs,
        rssMB: now === null ? null : round(now.rssBytes / 1e6, 1),
        serverCore: cpuMs === null ? null : round(cpuMs / wallMs, 3),
        generatorCore: round(generatorMs / wallMs, 3),
        othersOnServerCore: others({ busyMs: onServer, ownMs: cpuMs, wallMs }),
        othersOnGeneratorCore: others({ busyMs: onGenerator, ownMs: generatorMs, wallMs }),
      };
    },
  };
}

/** p50 and p99 of the delays of a stage, ms. */
export function delays({ first, last, delivered }) {
  const of = (values) => {
    const arrived = values.subarray(0, delivered);
    return { p50: round(percentile(arrived, 50), 3), p99: round(percentile(arrived, 99), 3) };
  };
  return { firstByteMs: of(first), lastByteMs: of(last) };
}

/** What the server's CPU time comes to for each segment that arrived, and for each byte of it. */
export function costs({ cpuMs, delivered, segmentBytes }) {
  const known = cpuMs !== null && delivered > 0;
  return {
    cpuMsPer1000Segments: known ? round((cpuMs / delivered) * 1000, 2) : null,
    cpuMsPerGB: known ? round((cpuMs / (delivered * segmentBytes)) * 1e9, 1) : null,
  };
}
