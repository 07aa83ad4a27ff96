export { CATALOGUE, type CatalogueEntry, type ErrorCode } from './catalogue.ts';
export { RunnelError, toRunnelError, type RunnelErrorOptions } from './runnel-error.ts';
