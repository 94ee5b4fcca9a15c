"""Field kinds, ticket templates with immutable versions, and overrides by region and store."""
