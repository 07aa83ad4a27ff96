/** Injection tokens of what the edge is given from outside. */
export const BUS_TOKEN = Symbol('bus');
export const LOGGER_TOKEN = Symbol('logger');
export const SESSION_CHANNELS_TOKEN = Symbol('session channels');
