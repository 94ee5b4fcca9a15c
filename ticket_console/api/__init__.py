"""The HTTP door: routes, bodies, problem+json and OpenAPI."""
