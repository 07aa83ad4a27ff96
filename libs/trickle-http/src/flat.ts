/**
 * A Latin-1 text in memory of its own. V8 keeps a text that was put together or cut out as a reference to the others: it would be put together anew at
 * each use, or keep a whole request in memory.
 */
export function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
