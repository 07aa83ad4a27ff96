import { z } from 'zod';

const SegmentSchema = z.object({
  seq: z.number(),
  openedAt: z.iso.datetime(),
  firstByteMs: z.number().nullable(),
  durationMs: z.number().nullable(),
  bytes: z.number(),
  chunks: z.number(),
  end: z.string(),
  held: z.boolean(),
  readers: z.number(),
  readersSeen: z.number(),
  readersLost: z.number(),
});
const EventSchema = z.object({ at: z.iso.datetime(), kind: z.string(), seq: z.number(), detail: z.string(), times: z.number() });

/** What `GET {base}{channel}/timeline` answers (Trickle spec, Timeline); a newer edge may know more ends and events. */
const TimelineSchema = z.object({
  channel: z.string(),
  now: z.iso.datetime(),
  nextWrite: z.number(),
  oldest: z.number(),
  segments: z.array(SegmentSchema),
  events: z.array(EventSchema),
});

/** A channel's recent past as it came over the wire. */
export type Timeline = z.output<typeof TimelineSchema>;

/** Reads an answer; null for anything else than a timeline. */
export function parseTimeline(text: string): Timeline | null {
  try {
    return TimelineSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
