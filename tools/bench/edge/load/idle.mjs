import { usageOf } from '../process-usage.mjs';
import { round } from '../stats.mjs';
import { arrival } from './record.mjs';
import { Rig } from './rig.mjs';
import { costs, delays, openWindow } from './window.mjs';

/** Until a process that has just worked has come to rest. */
const SETTLE_MS = 2000;

const pause = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/**
 * Readers that wait: the memory of the server before they come and when all of them have waited a while. Then one segment on every channel, so that it is known
 * that they were really waiting.
 */
export async function idle(plan) {
  const { pid, paths, readers } = plan;
  const rig = new Rig({ ...plan, readerConnections: 1 });
  try {
    await rig.openPublishers();
    await pause(SETTLE_MS);
    const before = usageOf(pid);
    await rig.openSubscribers();
    await pause(SETTLE_MS);
    const after = usageOf(pid);
    const window = openWindow(pid);
    const stage = await rig.publish({ segments: 1, perSecond: 1 });
    await arrival(stage, SETTLE_MS);
    const { serverCore, generatorCore } = window.end();
    const waiting = paths.length * readers;
    return {
      serverCore,
      generatorCore,
      ...delays(stage),
      waitingReaders: waiting,
      baseRssMB: before === null ? null : round(before.rssBytes / 1e6, 1),
      rssMB: after === null ? null : round(after.rssBytes / 1e6, 1),
      memoryPerReaderKB: before === null || after === null ? null : round((after.rssBytes - before.rssBytes) / waiting / 1000, 3),
      ...costs({ cpuMs: null, delivered: 0, segmentBytes: 0 }),
      segments: stage.delivered,
      lost: stage.expected - stage.delivered,
      ...rig.totals.counts(),
      generatorLagP99Ms: round(rig.clock.takeLagP99Ms(), 3),
    };
  } finally {
    await rig.close();
  }
}
