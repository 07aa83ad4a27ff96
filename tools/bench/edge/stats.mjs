/** The smallest value that at least `percent` of the values do not exceed (nearest rank); null without values. Sorts in place. */
export function percentile(values, percent) {
  if (values.length === 0) return null;
  values.sort((a, b) => a - b);
  return values[Math.max(0, Math.ceil((values.length * percent) / 100) - 1)];
}

/** The middle of the numbers, the mean of both middles where they are even; null without numbers. Nulls among them are left out. */
export function middle(values) {
  const sorted = values.filter((value) => value !== null).toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  if (sorted.length === 0) return null;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Rounded to `digits` places; null stays null. */
export function round(value, digits) {
  return value === null ? null : Number(value.toFixed(digits));
}

/**
 * How `pick` of one server's reps stands to that of another's: the median of the ratios within each rep, with the smallest and the largest. Null when no rep
 * has both.
 */
export function ratio(reps, base, pick) {
  const ratios = reps.flatMap((rep, n) => {
    const [value, other] = [pick(rep), base[n] === undefined ? null : pick(base[n])];
    return value === null || other === null || other === 0 ? [] : [value / other];
  });
  if (ratios.length === 0) return null;
  return { median: round(middle(ratios), 3), min: round(Math.min(...ratios), 3), max: round(Math.max(...ratios), 3) };
}
