import { z } from 'zod';

const MIB = 1024 * 1024;

/** The highest TCP port. */
export const MAX_PORT = 65_535;

/** A TCP port; 0 takes any free one. */
export const port = () => z.coerce.number().int().min(0).max(MAX_PORT);

/** A whole number within bounds. */
export const count = (bounds: { min: number; max: number }) => z.coerce.number().int().min(bounds.min).max(bounds.max);

/** A time in milliseconds, at most a day. */
export const milliseconds = ({ min }: { min: number }) => z.coerce.number().int().min(min).max(86_400_000);

/** A number of MiB in the environment, bytes in the program. */
export function mebibytes({ max, defaultBytes }: { max: number; defaultBytes: number }) {
  return z.coerce
    .number()
    .min(0.001)
    .max(max)
    .default(defaultBytes / MIB)
    .transform((value) => Math.round(value * MIB));
}
