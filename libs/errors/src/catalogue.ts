/** What is fixed for an error code, whoever throws it. */
export interface CatalogueEntry {
  /** HTTP status (RFC 9110). 4xx: the caller can correct it; 5xx: we must. */
  status: number;
  /** Short title of the problem+json body (RFC 9457): the same for every occurrence. */
  title: string;
  /** What the person who sees it can do. One line. */
  hint: string;
  /** Whether the same call may succeed later, unchanged. */
  retryable: boolean;
}

/**
 * Every error code of the project. A code is public and stable: clients match on it.
 * `docs/reference/errors.md` is generated from this table.
 */
export const CATALOGUE = {
  // Input that the caller can correct
  invalid_request: { status: 400, title: 'Invalid request', hint: 'Correct the named fields and send it again.', retryable: false },
  invalid_params: {
    status: 422,
    title: 'Invalid parameters',
    hint: "Compare with the processor's schema: GET /v1/capabilities.",
    retryable: false,
  },
  unknown_processor: { status: 422, title: 'Unknown processor', hint: 'List the processors: GET /v1/capabilities.', retryable: false },
  session_not_found: { status: 404, title: 'Session not found', hint: 'List the sessions: GET /v1/sessions.', retryable: false },
  session_ended: { status: 409, title: 'Session has ended', hint: 'Start a new session.', retryable: false },
  session_not_ready: {
    status: 409,
    title: 'Session is not running yet',
    hint: "Wait for the session_state event 'running'.",
    retryable: true,
  },
  not_found: {
    status: 404,
    title: 'Not found',
    hint: 'Check the path: the HTTP API is described by GET /v1/openapi.json, an edge has its channels under its base path.',
    retryable: false,
  },
  unsupported_media_type: { status: 415, title: 'Unsupported content type', hint: 'Send application/json.', retryable: false },
  request_timeout: { status: 408, title: 'Request took too long', hint: 'Send headers and body without pause.', retryable: true },
  headers_too_large: { status: 431, title: 'Headers too large', hint: 'Send fewer or shorter headers.', retryable: false },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    hint: 'Use one of the methods in the Allow header.',
    retryable: false,
  },
  payload_too_large: { status: 413, title: 'Payload too large', hint: 'Send a smaller body.', retryable: false },
  invalid_config: { status: 400, title: 'Invalid configuration', hint: 'Correct the named settings and start again.', retryable: false },
  invalid_usage: { status: 400, title: 'Invalid usage', hint: 'See --help.', retryable: false },
  // Files and media
  file_not_found: { status: 404, title: 'File not found', hint: 'Check the path.', retryable: false },
  file_not_writable: { status: 400, title: 'File cannot be written', hint: 'Choose another output path.', retryable: false },
  not_video: { status: 422, title: 'Not a video', hint: 'Use a file with a video track that FFmpeg can decode.', retryable: false },
  broken_media: {
    status: 422,
    title: 'Broken media',
    hint: 'Check the source: its bytes are not what its format promises.',
    retryable: false,
  },
  unsupported_codec: { status: 422, title: 'Unsupported codec', hint: 'Use H.264 video and AAC or Opus audio.', retryable: false },
  // Trickle
  channel_not_found: { status: 404, title: 'Channel not found', hint: 'The channel has ended or was never created.', retryable: false },
  channel_exists: { status: 409, title: 'Channel exists', hint: 'Use another channel name.', retryable: false },
  channel_closed: { status: 410, title: 'Channel has ended', hint: 'Start a new session to get new channels.', retryable: false },
  segment_gone: {
    status: 470,
    title: 'Segment not in the window',
    hint: 'Continue at the live edge (Lp-Trickle-Latest).',
    retryable: true,
  },
  segment_cut: {
    status: 502,
    title: 'Segment was cut',
    hint: 'The publisher died in the middle of it; continue with the next one.',
    retryable: true,
  },
  stream_gap: { status: 470, title: 'Segments were missed', hint: 'Read faster, or widen the window.', retryable: false },
  edge_unreachable: {
    status: 502,
    title: 'Edge cannot be reached',
    hint: 'Check that the edge runs and that its URL is right.',
    retryable: true,
  },
  loop_detected: {
    status: 508,
    title: 'Edges ask each other in a circle',
    hint: 'Correct the tables of upstream edges (EDGE_UPSTREAMS): a channel has one owner, at most four edges away.',
    retryable: false,
  },
  access_denied: {
    status: 403,
    title: 'Access denied',
    hint: 'Ask for a new URL: its token is wrong, has expired, or is for something else.',
    retryable: false,
  },
  limit_exceeded: {
    status: 429,
    title: 'Limit reached',
    hint: 'Close what is not needed, or raise the named limit of the edge.',
    retryable: true,
  },
  storage_full: {
    status: 507,
    title: 'Relay is full',
    hint: 'Try again shortly; the operator can raise EDGE_MEMORY_MIB or add an edge.',
    retryable: true,
  },
  // Capacity and life
  no_capacity: { status: 503, title: 'No free worker', hint: 'Try again in a few seconds.', retryable: true },
  no_responder: { status: 503, title: 'Part is not there', hint: 'Check that the named part runs; try again shortly.', retryable: true },
  overloaded: { status: 503, title: 'Too many requests at once', hint: 'Try again in a few seconds.', retryable: true },
  shutting_down: { status: 503, title: 'Shutting down', hint: 'Try again on another instance.', retryable: true },
  deadline_exceeded: {
    status: 504,
    title: 'Deadline exceeded',
    hint: 'Try again; if it repeats, look at the logs of the named part.',
    retryable: true,
  },
  port_in_use: { status: 409, title: 'Port is in use', hint: 'Stop the other program, or choose another port.', retryable: false },
  media_child_died: {
    status: 502,
    title: 'Media process died',
    hint: 'Look at the source: a hostile or broken stream can end its decoder.',
    retryable: true,
  },
  processor_failed: {
    status: 500,
    title: 'Processor failed',
    hint: "Look at the processor's own error in the session's events.",
    retryable: false,
  },
  model_failed: {
    status: 422,
    title: 'Model cannot be used',
    hint: 'Check the path, and that input and output are images.',
    retryable: false,
  },
  internal: { status: 500, title: 'Internal error', hint: 'Please report it with the log around this time.', retryable: false },
} as const satisfies Record<string, CatalogueEntry>;

/** A code of the catalogue. */
export type ErrorCode = keyof typeof CATALOGUE;
