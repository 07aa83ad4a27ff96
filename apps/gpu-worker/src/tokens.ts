/** Injection tokens of what the worker is given from outside. */
export const BUS_TOKEN = Symbol('bus');
/** The logger of the worker. */
export const LOGGER_TOKEN = Symbol('logger');
/** The checked `GpuWorkerConfig`. */
export const CONFIG_TOKEN = Symbol('config');
