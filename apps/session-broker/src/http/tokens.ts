/** Injection token of the SessionManager. */
export const SESSION_MANAGER = Symbol('SessionManager');
