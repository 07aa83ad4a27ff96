const REDACTED = '[redacted]';

/** A JSON member whose name says that its value is a secret. Values are strings or arrays of them. */
const SECRET_MEMBER =
  /("[^"\\]*(?:authorization|cookie|token|secret|password|passphrase|api_?-?key|private_?key|mnemonic)[^"\\]*":)(?:"(?:[^"\\]|\\.)*"|\[[^\]]*\])/gi;
const BEARER = /\b(Bearer|Basic)\s+[\w.~+/=-]+/g;
const URL_WITH_PATH = /\b(https?:\/\/)(?:[^\s/"'`\\@]*@)?([^\s/"'`\\]+)(\/[^\s"'`\\<>,;)\]}]*)/g;
/** A token of a capability URL: all but its signature may be told (Trickle spec, Capability URLs). */
const TOKEN_SIGNATURE = /\b(tc1\.[\w-]{1,16}\.[psm]{1,3}\.[0-9a-z]{1,8}\.)[\w-]+/g;
/** Paths of our own API name things by id and hold no secret. */
const OPEN_PATH = /^\/(?:v1(?:\/[\w./-]*)?|livez|readyz|metrics)?$/;

/**
 * Takes secrets out of one line of JSON or text: values of members whose names tell (authorization, token, key, …), bearer
 * credentials, signatures of tokens, and channel URLs, of which host and last 4 characters stay, so that two can be told apart. Whoever knows a channel's
 * whole URL may use it. URLs of other services are shortened likewise: a log does not need their paths. `openPaths` are whole paths
 * that hold no secret, such as the one under which channels stand.
 */
export function redactLine(line: string, openPaths: readonly string[] = []): string {
  return line
    .replace(SECRET_MEMBER, `$1"${REDACTED}"`)
    .replace(BEARER, `$1 ${REDACTED}`)
    .replace(URL_WITH_PATH, (_, scheme: string, host: string, path: string) =>
      OPEN_PATH.test(path) || openPaths.includes(path) || openPaths.includes(`${path}/`)
        ? `${scheme}${host}${path}`
        : `${scheme}${host}/…${path.slice(-4)}`,
    )
    .replace(TOKEN_SIGNATURE, `$1${REDACTED}`);
}
