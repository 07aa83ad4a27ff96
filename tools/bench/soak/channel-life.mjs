import http from 'node:http';
import { randomFrom } from './expected.mjs';
import { Follower } from './follower.mjs';
import { pause, Publisher } from './publisher.mjs';
import { vandalize } from './vandal.mjs';

const KINDS = ['steady', 'steady', 'mortal', 'mortal', 'dawdling'];

/** How long after the last segment the followers may still read. */
const DRAIN_MS = 1500;

/** How long a follower may take to see that the channel is gone. */
const END_DEADLINE_MS = 15_000;

function ask(method, url, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, agent: false }, (response) => {
      response.resume();
      response.on('close', () => resolve(response.statusCode));
    });
    request.on('error', reject).end();
  });
}

/** The life of one channel: made, published, followed by five, vandalized by one, deleted while readers wait. Tallies what came of it. */
export async function liveOnce({ base, channel, seconds, tally }) {
  const random = randomFrom(channel);
  const url = `${base}soak-${channel}`;
  const created = await ask('POST', url, { 'Expect-Content': 'application/octet-stream', 'Content-Length': '0' });
  if (created !== 200) {
    tally.fault('unexpected', `POST of a channel: ${created}`);
    return;
  }
  tally.channels += 1;
  const publisher = new Publisher({ url, channel, random, tally });
  const followers = KINDS.map((kind) => new Follower({ url, channel, kind, random, tally, outcomes: publisher.outcomes }));
  let isOver = false;
  const following = followers.map((follower) => follower.run());
  const vandal = vandalize({ url, random, tally, isOver: () => isOver });
  await publisher.run({ untilMs: performance.now() + seconds * 1000, perSecond: 6 + random() * 20 });
  await pause(DRAIN_MS);
  for (const follower of followers) follower.stop();
  const deleted = await ask('DELETE', url);
  if (deleted !== 200) tally.fault('unexpected', `DELETE of a channel: ${deleted}`);
  isOver = true;
  const late = pause(END_DEADLINE_MS).then(() => 'late');
  if ((await Promise.race([Promise.all([...following, vandal]), late])) === 'late')
    tally.fault('unexpected', 'a follower hangs after the end');
  for (const [index, kind] of KINDS.entries()) {
    if (kind !== 'steady') continue;
    for (const [seq, outcome] of publisher.outcomes) {
      if (outcome.kind === 'whole' && !followers[index].whole.has(seq)) tally.fault('lost', `segment ${seq} of channel ${channel}`);
    }
  }
}
