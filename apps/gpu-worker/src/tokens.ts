/** Injection tokens of what the worker is given from outside. */
export const BUS_TOKEN = Symbol('bus');
export const LOGGER_TOKEN = Symbol('logger');
export const CONFIG_TOKEN = Symbol('config');
