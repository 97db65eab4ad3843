// Modules without types of their own.
declare module 'swagger-ui-dist/swagger-ui-es-bundle.js' {
  interface System { preauthorizeApiKey(scheme: string, key: string): void }
  const SwaggerUI: { (options: Record<string, unknown>): System; presets: { apis: unknown } };
  export default SwaggerUI;
}
