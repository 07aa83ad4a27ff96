import { randomBytes } from 'node:crypto';
import { RunnelError } from '@runnel/errors';

/** Edges that a request may have come through, the one that sends it on included. */
const MAX_HOPS = 4;

const EDGE_ID = /^[A-Za-z0-9._~-]{1,64}$/;
const MAX_VIA_LENGTH = MAX_HOPS * 66;

/** Whether a string may name an edge in `Lp-Trickle-Via`: 1 to 64 unreserved characters. */
export function isEdgeId(id: string): boolean {
  return EDGE_ID.test(id);
}

/** A name that no other edge has. */
export function randomEdgeId(): string {
  return `edge-${randomBytes(8).toString('hex')}`;
}

/**
 * The `Lp-Trickle-Via` of a request that an edge sends upstream on behalf of one that came with `via` (Trickle spec, Cascade).
 * @throws RunnelError `loop_detected` when the edge is in it already or the way is too long; `invalid_request` when it is malformed.
 */
export function extendVia(via: string | null, edgeId: string): string {
  if (via === null || via === '') return edgeId;
  // What is too long has too many hops; it need not be taken apart for that.
  const ids = via.length > MAX_VIA_LENGTH ? null : via.split(',').map((id) => id.trim());
  if (ids === null || ids.length >= MAX_HOPS) {
    throw new RunnelError('loop_detected', { message: `The request has come through ${MAX_HOPS} edges or more.` });
  }
  if (!ids.every(isEdgeId)) throw new RunnelError('invalid_request', { message: 'Lp-Trickle-Via names something that is no edge.' });
  if (ids.includes(edgeId)) throw new RunnelError('loop_detected', { message: 'The request has come through this edge before.' });
  return [...ids, edgeId].join(', ');
}
