export { CATALOGUE, type CatalogueEntry, type ErrorCode } from './catalogue.ts';
export { RunnelError, toRunnelError, type FieldError, type RunnelErrorOptions } from './runnel-error.ts';
