const POLYNOMIAL = 0x04c11db7;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) value = (value << 1) ^ (value < 0 ? POLYNOMIAL : 0);
  return value >>> 0;
});

/** The CRC of PSI sections (ISO/IEC 13818-1, annex A). Over a whole section with its CRC the result is 0. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let at = 0; at < bytes.length; at += 1) crc = (crc << 8) ^ TABLE[((crc >>> 24) ^ bytes[at]) & 0xff];
  return crc >>> 0;
}
