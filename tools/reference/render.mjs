/** Renders the pages of docs/reference from what the code itself uses. Pure: text in, text out. */

/** @typedef {{type?: string, format?: string, enum?: string[], minimum?: number, maximum?: number, default?: string | number | boolean, description?: string}} Setting */

const GENERATED = '<!-- Made by `npm run reference`; do not edit. -->';

/** Variables that no app's schema holds. */
const OTHER_SETTINGS = [
  {
    name: 'LOG_LEVEL',
    type: 'silent, fatal, error, warn, info, debug or trace',
    default: '`warn`; `info` in the apps run alone',
    description: 'Lowest level that is written to standard error.',
  },
  { name: 'DEBUG', type: '1', default: 'none', description: 'With 1, a command that fails also prints the stack trace.' },
];

/**
 * The error catalogue as a page.
 * @param {Record<string, {status: number, title: string, hint: string, retryable: boolean}>} catalogue
 */
export function renderErrors(catalogue) {
  const rows = Object.entries(catalogue).map(
    ([code, { status, title, hint, retryable }]) =>
      `| \`${code}\` | ${status} | ${cell(title)} | ${retryable ? 'yes' : 'no'} | ${cell(hint)} |`,
  );
  return page([
    '# Errors',
    GENERATED,
    [
      'Every failure has one of these codes, over HTTP, on the message bus, in events and on the command line. Codes are stable: match on them, not on text.',
      'Over HTTP an error is `application/problem+json` (RFC 9457) with `type` (`urn:runnel:error:CODE`), `title`, `status`, `detail`, `code`, `hint`,',
      '`retryable`, and `errors` (`path` and `message`) where fields are at fault. A command ends with exit code 2 when the status is 4xx, with 1 otherwise.',
    ].join('\n'),
    ['| Code | Status | Title | Same call may succeed later | What to do |', '| --- | --- | --- | --- | --- |', ...rows].join('\n'),
  ]);
}

/**
 * The environment variables of all apps as a page.
 * @param {{app: string, schema: {properties?: Record<string, unknown>}}[]} apps JSON Schemas of the config schemas, by app; each property is a Setting
 */
export function renderConfiguration(apps) {
  const section = (title, rows) =>
    [`## ${title}`, ['| Variable | Values | Default | What |', '| --- | --- | --- | --- |', ...rows].join('\n')].join('\n\n');
  return page([
    '# Settings',
    GENERATED,
    'Each app reads its settings from the environment once, at start; an empty variable counts as unset. Wrong values are told all at once, and the app does not start.',
    ...apps.map(({ app, schema }) =>
      section(
        app,
        Object.entries(schema.properties ?? {}).map(
          ([name, property]) =>
            `| \`${name}\` | ${cell(valuesOf(property))} | ${property.default === undefined || property.default === '' ? 'none' : `\`${property.default}\``} | ${cell(property.description ?? '')} |`,
        ),
      ),
    ),
    section(
      'Command line',
      OTHER_SETTINGS.map((setting) => `| \`${setting.name}\` | ${setting.type} | ${setting.default} | ${setting.description} |`),
    ),
  ]);
}

/** Metrics that every app has, from `libs/service`. */
const COMMON_METRICS = [
  {
    name: 'http_request_duration_seconds',
    type: 'histogram',
    help: 'Duration of HTTP requests, those of the relay and of probes left out.',
    labels: { method: ['GET', '…'], route: ['/v1/sessions/:id', '…'], status: ['200', '…'] },
  },
];

/**
 * The metrics of the edge as a page.
 * @param {readonly {name: string, type: string, help: string, labels?: Readonly<Record<string, readonly string[]>>}[]} metrics
 */
export function renderMetrics(metrics) {
  const labelsOf = (labels = {}) =>
    Object.entries(labels)
      .map(([name, values]) => `\`${name}\`: ${values.join(', ')}`)
      .join('; ');
  const table = (rows) =>
    [
      '| Metric | Type | Labels | What |',
      '| --- | --- | --- | --- |',
      ...rows.map(({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${cell(labelsOf(labels))} | ${cell(help)} |`),
    ].join('\n');
  return page([
    '# Metrics',
    GENERATED,
    [
      '`GET /metrics` on the port EDGE_OPS_PORT, in the text format of Prometheus. Every metric also has the label `app`, and with EDGE_SHARDS the label `shard`. No label holds a name of a channel, a',
      'token or an address: they are secrets, or there is no bound on their number.',
    ].join('\n'),
    '## trickle-edge',
    table(metrics),
    '## Every app',
    table(COMMON_METRICS),
    'Beside these stand the process metrics of prom-client: `process_*` (CPU, memory, file descriptors) and `nodejs_*` (heap, garbage collection, event loop).',
  ]);
}

/** A JSON document as it is committed. */
export function renderJson(document) {
  return `${JSON.stringify(document, null, 2)}\n`;
}

function page(parts) {
  return `${parts.join('\n\n')}\n`;
}

function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** @param {Setting} property */
function valuesOf(property) {
  if (Array.isArray(property.enum)) return property.enum.join(', ');
  const { minimum, maximum } = property;
  const bounded = (bound) => typeof bound === 'number' && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
  const range =
    bounded(minimum) || bounded(maximum) ? ` ${bounded(minimum) ? minimum : ''} to ${bounded(maximum) ? maximum : ''}`.trimEnd() : '';
  return `${property.format === 'uri' ? 'URL' : (property.type ?? 'text')}${range.endsWith(' to') ? ` from${range.slice(0, -3)}` : range}`;
}
