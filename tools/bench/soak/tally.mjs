/** What a soak has seen. `faults` has the first of what must not be, word for word. */
export class Tally {
  channels = 0;
  published = 0;
  publisherKills = 0;
  readWhole = 0;
  readCut = 0;
  followerKills = 0;
  /** Segments that a reader was told to be gone: it was slower than the window. */
  gaps = 0;
  /** Whole segments that a follower who reads all the time did not get. */
  lost = 0;
  /** Wrong bytes, or a cut segment that looked whole. */
  corrupt = 0;
  /** Answers that nobody should get. */
  unexpected = 0;
  vandals = 0;
  bytesRead = 0;
  faults = [];

  fault(kind, text) {
    this[kind] += 1;
    if (this.faults.length < 20) this.faults.push(`${kind}: ${text}`);
  }
}
