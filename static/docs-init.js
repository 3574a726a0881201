/* Starts Swagger UI. It is a file because the Content-Security-Policy allows no inline script. */
'use strict';

const dark = window.matchMedia('(prefers-color-scheme: dark)');
const followScheme = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', followScheme);
followScheme();

window.ui = window.SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  // The token must not outlive this tab.
  persistAuthorization: false,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  // By default Swagger UI sends the description to a public validator, unless on localhost.
  validatorUrl: null,
});
