/** The time since 1970 in ms, with fractions; comparable between the processes of a machine. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now();
}
