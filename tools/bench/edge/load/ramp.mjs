import { highest, nextRate, passed } from '../ladder.mjs';
import { round } from '../stats.mjs';
import { arrival } from './record.mjs';
import { Rig } from './rig.mjs';
import { costs, delays, openWindow } from './window.mjs';

/** Between two steps, so that what one left behind is not counted to the next. */
const DRAIN_MS = 1000;

/** Load that grows step by step until the server does not carry it; tells the highest rate that it carried. */
export async function ramp(plan) {
  const { warmSeconds, seconds, from, steps: most, paths } = plan;
  const rig = new Rig(plan);
  const steps = [];
  const stageAt = (rate, duration) => {
    const perSecond = rate / paths.length;
    return rig.publish({ segments: Math.max(1, Math.round(perSecond * duration)), perSecond });
  };
  try {
    await rig.open();
    await stageAt(from, warmSeconds);
    for (let rate = from; rate !== null; rate = nextRate(steps, { from, most })) {
      rig.clock.takeLagP99Ms();
      const window = openWindow(plan);
      const corruptBefore = rig.totals.corrupt;
      const stage = await stageAt(rate, seconds);
      await arrival(stage, DRAIN_MS);
      const used = window.end();
      const { firstByteMs, lastByteMs } = delays(stage);
      const { expected, delivered } = stage;
      const step = { rate, p99Ms: firstByteMs.p99, expected, delivered, corrupt: rig.totals.corrupt - corruptBefore };
      steps.push({ ...step, passed: passed(step), firstByteMs, lastByteMs, ...used, generatorLagP99Ms: rig.clock.takeLagP99Ms() });
    }
    return summary(plan, steps, rig.totals);
  } finally {
    await rig.close();
  }
}

/** The result: delays, CPU and cores are those of the best step; counts are those of all. */
function summary({ writes, writeBytes }, steps, totals) {
  const best = highest(steps) ?? steps[0];
  const { cpuMs, delivered } = best;
  return {
    maxSegmentsPerSecond: best.passed ? best.rate : 0,
    firstByteMs: best.firstByteMs,
    lastByteMs: best.lastByteMs,
    rssMB: best.rssMB,
    serverCore: best.serverCore,
    generatorCore: best.generatorCore,
    othersOnServerCore: best.othersOnServerCore,
    othersOnGeneratorCore: best.othersOnGeneratorCore,
    ...costs({ cpuMs, delivered, segmentBytes: writes * writeBytes }),
    segments: delivered,
    lost: best.expected - delivered,
    ...totals.counts(),
    generatorLagP99Ms: round(best.generatorLagP99Ms, 3),
    steps: steps.map((step) => ({
      rate: step.rate,
      passed: step.passed,
      p99Ms: step.p99Ms,
      lost: step.expected - step.delivered,
      serverCore: step.serverCore,
      generatorCore: step.generatorCore,
      othersOnServerCore: step.othersOnServerCore,
      othersOnGeneratorCore: step.othersOnGeneratorCore,
      generatorLagP99Ms: round(step.generatorLagP99Ms, 3),
    })),
  };
}
