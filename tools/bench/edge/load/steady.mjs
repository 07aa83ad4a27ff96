import { arrival } from './record.mjs';
import { Rig } from './rig.mjs';
import { costs, delays, openWindow } from './window.mjs';
import { round } from '../stats.mjs';

/** How long after the last write a segment may still arrive. */
const DRAIN_MS = 2000;

/** An even load: `warmSeconds` that are not counted, then `seconds` that are. */
export async function steady(plan) {
  const { perSecond, seconds, warmSeconds, writes, writeBytes } = plan;
  const rig = new Rig(plan);
  try {
    await rig.open();
    const warm = await rig.publish({ segments: Math.ceil(perSecond * warmSeconds), perSecond });
    rig.clock.takeLagP99Ms();
    const window = openWindow(plan);
    const stage = await rig.publish({ segments: Math.max(1, Math.round(perSecond * seconds)), perSecond });
    await arrival(stage, DRAIN_MS);
    const { cpuMs, ...used } = window.end();
    return {
      ...used,
      ...delays(stage),
      ...costs({ cpuMs, delivered: stage.delivered, segmentBytes: writes * writeBytes }),
      segments: stage.delivered,
      lost: stage.expected - stage.delivered,
      lostWhileWarming: warm.expected - warm.delivered,
      ...rig.totals.counts(),
      generatorLagP99Ms: round(rig.clock.takeLagP99Ms(), 3),
    };
  } finally {
    await rig.close();
  }
}
