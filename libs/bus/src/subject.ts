import { RunnelError } from '@runnel/errors';

/** In a subscription's vars: every value of this token. The same sign as in a NATS subject. */
export const ANY = '*';

const TOKEN = /^[A-Za-z0-9_-]{1,128}$/;

/**
 * Fills a subject template: `worker.{workerId}.start` → `worker.w1.start`. With `wildcards`, `ANY` is allowed as a value.
 * @throws RunnelError `invalid_request` when a value is missing or holds a character that would change the subject's shape.
 */
export function subjectOf(template: string, vars: Readonly<Record<string, string>>, options: { wildcards: boolean }): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = vars[name] ?? '';
    if (TOKEN.test(value) || (options.wildcards && value === ANY)) return value;
    throw new RunnelError('invalid_request', { message: `'${name}' of subject '${template}' must be letters, digits, '_' or '-'.` });
  });
}

/** Whether a concrete subject is one that a pattern (with `ANY` tokens) asks for. */
export function subjectMatches(pattern: string, subject: string): boolean {
  if (pattern === subject) return true;
  const wanted = pattern.split('.');
  const given = subject.split('.');
  return wanted.length === given.length && wanted.every((token, at) => token === ANY || token === given[at]);
}

/** Reads the values of a template's `{x}` back from a concrete subject. */
export function varsOf(template: string, subject: string): Record<string, string> {
  const given = subject.split('.');
  const vars: Record<string, string> = {};
  for (const [at, token] of template.split('.').entries()) {
    if (token.startsWith('{')) vars[token.slice(1, -1)] = given[at] ?? '';
  }
  return vars;
}
