import { usageOf } from '../process-usage.mjs';
import { percentile, round } from '../stats.mjs';

/** Measures what server and generator use from now on; `end()` tells. CPU is null where it cannot be read. */
export function openWindow(pid) {
  const startMs = performance.now();
  const server = usageOf(pid);
  const own = process.cpuUsage();
  return {
    end() {
      const wallMs = performance.now() - startMs;
      const now = usageOf(pid);
      const { user, system } = process.cpuUsage(own);
      const cpuMs = server === null || now === null ? null : now.cpuMs - server.cpuMs;
      return {
        cpuMs,
        rssMB: now === null ? null : round(now.rssBytes / 1e6, 1),
        serverCore: cpuMs === null ? null : round(cpuMs / wallMs, 3),
        generatorCore: round((user + system) / 1000 / wallMs, 3),
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
