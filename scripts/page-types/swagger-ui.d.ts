// The global names that static/docs-init.js uses. Swagger UI in static/vendor has no types.
interface Window {
  SwaggerUIBundle(options: Record<string, unknown>): object;
  ui: object;
}
