import { RunnelError } from '@runnel/errors';
import type { ParamValues } from '@runnel/schemas';

/** Parses a whole number within bounds, for an option called `flag`. @throws RunnelError `invalid_usage`. */
export function wholeNumber(flag: string, bounds: { min: number; max: number }): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= bounds.min && value <= bounds.max) return value;
    throw new RunnelError('invalid_usage', { message: `${flag} wants a whole number from ${bounds.min} to ${bounds.max}, not '${text}'.` });
  };
}

/** Parses seconds, fractions allowed. @throws RunnelError `invalid_usage`. */
export function seconds(flag: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isFinite(value) && value > 0 && value <= 86_400) return value;
    throw new RunnelError('invalid_usage', { message: `${flag} wants seconds above 0 (at most 86400), not '${text}'.` });
  };
}

/** Units of a duration, in milliseconds. */
const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Parses a duration such as `90s`, `30m`, `12h` or `7d` to milliseconds. @throws RunnelError `invalid_usage`. */
export function duration(flag: string, { maxDays }: { maxDays: number }): (text: string) => number {
  return (text) => {
    const match = /^([1-9]\d{0,8})([smhd])$/.exec(text);
    const ms = match === null ? 0 : Number(match[1]) * UNITS_MS[match[2] as keyof typeof UNITS_MS];
    if (ms > 0 && ms <= maxDays * UNITS_MS.d) return ms;
    throw new RunnelError('invalid_usage', {
      message: `${flag} wants a time such as 90s, 30m, 12h or 7d (at most ${maxDays}d), not '${text}'.`,
    });
  };
}

/**
 * Collects `--param key=value`. The value is JSON where it parses as JSON (numbers, booleans, lists, quoted strings), a plain
 * string otherwise. @throws RunnelError `invalid_usage`.
 */
export function collectParam(text: string, collected: ParamValues): ParamValues {
  const at = text.indexOf('=');
  if (at < 1) throw new RunnelError('invalid_usage', { message: `--param wants key=value, not '${text}'.` });
  return { ...collected, [text.slice(0, at)]: parseValue(text.slice(at + 1)) };
}

function parseValue(text: string): ParamValues[string] {
  try {
    return JSON.parse(text) as ParamValues[string];
  } catch {
    return text;
  }
}

/** Checks that a text is an http(s) URL and returns it without a trailing slash. @throws RunnelError `invalid_usage`. */
export function httpUrl(what: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return text.replace(/\/+$/, '');
  throw new RunnelError('invalid_usage', { message: `${what} wants an http:// or https:// URL, not '${text}'.` });
}
