import type { Socket } from 'node:net';

/** Content type of a handshake record (RFC 8446, 5.1). */
const HANDSHAKE = 22;

const RECORD_HEADER_BYTES = 5;

/** A record holds no more (RFC 8446, 5.1). */
const MAX_RECORD_BYTES = 2 ** 14;

/** `whole`: the record is there and was put back; `not_tls`: what came is something else; `closed`: the connection ended before. */
export type FirstRecord = 'whole' | 'not_tls' | 'closed';

/** Waits for the first TLS record of a connection, leaves it to be read again, and calls back once. Sets no deadline. */
export function readFirstRecord(socket: Socket, done: (outcome: FirstRecord) => void): void {
  let received: Buffer = Buffer.alloc(0);
  const finish = (outcome: FirstRecord) => {
    socket.off('readable', onReadable);
    socket.off('close', onClose);
    socket.off('end', onClose);
    done(outcome);
  };
  const onClose = () => finish('closed');
  const onReadable = () => {
    const bytes = socket.read() as Buffer | null;
    if (bytes === null) return;
    received = received.length === 0 ? bytes : Buffer.concat([received, bytes]);
    if (received[0] !== HANDSHAKE) return finish('not_tls');
    if (received.length < RECORD_HEADER_BYTES) return;
    const bodyBytes = received.readUInt16BE(3);
    if (bodyBytes > MAX_RECORD_BYTES) return finish('not_tls');
    if (received.length < RECORD_HEADER_BYTES + bodyBytes) return;
    socket.unshift(received);
    finish('whole');
  };
  socket.on('readable', onReadable);
  socket.on('close', onClose);
  socket.on('end', onClose);
}
