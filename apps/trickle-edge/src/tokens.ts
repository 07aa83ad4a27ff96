/** Injection tokens of what the edge is given from outside. */
export const BUS_TOKEN = Symbol('bus');
/** The logger of the edge. */
export const LOGGER_TOKEN = Symbol('logger');
/** The one `SessionChannels`, which owns the channels of every session. */
export const SESSION_CHANNELS_TOKEN = Symbol('session channels');
