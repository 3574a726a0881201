/* Starts Swagger UI. A file of its own, because the page's policy allows no inline script. */
'use strict';

const dark = window.matchMedia('(prefers-color-scheme: dark)');
const followScheme = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', followScheme);
followScheme();

window.ui = window.SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  // A token is kept by nobody but this tab.
  persistAuthorization: false,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  // Unless told not to, Swagger UI asks a public service to validate what is not on localhost.
  validatorUrl: null,
});
