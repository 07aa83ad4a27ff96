export { SessionBrokerConfigSchema, type SessionBrokerConfig } from './config.ts';
export { openApiDocument } from './http/openapi.ts';
export { startSessionBroker, type SessionBrokerOptions } from './start.ts';
