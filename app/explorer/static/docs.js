// Starts the documentation page: shows this service's own description and asks nobody else about it.
"use strict";

const description = new URL("openapi.json", document.baseURI).href;

// The page would fill in the example of every optional parameter and send them all at once, which asks for nothing sensible.
// So such an example is told in words instead, and a reader fills in what they want.
function tellExample(parameter) {
  if (parameter.in === "path" || parameter.required) return;
  const told = [];
  for (const place of [parameter, parameter.schema ?? {}]) {
    if (place.example !== undefined) told.push(place.example);
    const several = Object.values(place.examples ?? {});
    told.push(...several.map((one) => (place === parameter ? one.value : one)));
    delete place.example;
    delete place.examples;
  }
  const unique = [...new Set(told.filter((one) => one !== undefined).map(String))];
  if (unique.length) parameter.description = `${parameter.description ?? ""} Example: \`${unique.join("`, `")}\``.trim();
}

function readable(text) {
  const api = JSON.parse(text);
  const shared = Object.values(api.components?.parameters ?? {});
  const own = Object.values(api.paths ?? {}).flatMap((path) => [
    ...(path.parameters ?? []),
    ...Object.values(path).flatMap((operation) => operation?.parameters ?? []),
  ]);
  [...shared, ...own].filter((parameter) => parameter.in).forEach(tellExample);
  return JSON.stringify(api);
}

window.addEventListener("load", () => {
  let loaded = false;
  window.SwaggerUIBundle({
    url: description,
    dom_id: "#docs",
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    filter: true,
    persistAuthorization: false,
    queryConfigEnabled: false,
    responseInterceptor: (response) => {
      if (!loaded && response.ok && response.url === description) {
        loaded = true;
        response.text = readable(response.text);
      }
      return response;
    },
    tryItOutEnabled: true,
    validatorUrl: null,
  });
});
