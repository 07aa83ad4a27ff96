import { RunnelError } from '@runnel/errors';
import type { Gap } from './port.ts';

/** The error of a gap, for a subscriber whose caller does not want to jump. */
export function gapError({ from, to, reason }: Gap): RunnelError {
  return new RunnelError('stream_gap', {
    message: `Segments ${from} to ${to - 1} cannot be read any more.`,
    details: { from, to, reason },
  });
}
