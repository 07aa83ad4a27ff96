/** Header names of the protocol as they stand on the wire (Trickle spec, Headers). Node's parsers give them in lower case. */
export const HEADER = {
  seq: 'Lp-Trickle-Seq',
  latest: 'Lp-Trickle-Latest',
  closed: 'Lp-Trickle-Closed',
  reset: 'Lp-Trickle-Reset',
  size: 'Lp-Trickle-Size',
  age: 'Lp-Trickle-Age',
  expectContent: 'Expect-Content',
  via: 'Lp-Trickle-Via',
} as const;

/** Value of `Lp-Trickle-Closed`. */
export const TERMINATED = 'terminated';

/** Status of "the channel is there, the segment is not". */
export const SEGMENT_GONE_STATUS = 470;

/** Reason phrase of `SEGMENT_GONE_STATUS`, which has no standard one. */
export const SEGMENT_GONE_REASON = 'Segment Gone';
