import { usageOf } from '../process-usage.mjs';
import { round } from '../stats.mjs';
import { arrival } from './record.mjs';
import { Rig } from './rig.mjs';
import { costs, delays, openWindow } from './window.mjs';

/** How long the one segment may take to all readers. */
const ARRIVAL_MS = 5000;

const pause = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/**
 * Readers that wait: the memory of the server before they come and when all of them have waited a while (a process that has just worked comes to rest slowly). Then one segment on every channel, so that it is known
 * that they were really waiting.
 */
export async function idle(plan) {
  const { pid, paths, readers, settleSeconds } = plan;
  const settleMs = settleSeconds * 1000;
  const rig = new Rig({ ...plan, readerConnections: 1 });
  try {
    await rig.openPublishers();
    await pause(settleMs);
    const before = usageOf(pid);
    await rig.openSubscribers();
    await pause(settleMs);
    const after = usageOf(pid);
    const window = openWindow(plan);
    const stage = await rig.publish({ segments: 1, perSecond: 1 });
    await arrival(stage, ARRIVAL_MS);
    const used = window.end();
    const waiting = paths.length * readers;
    return {
      ...used,
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
