"""A console for field-service tickets: requests come in, become work orders, are dispatched, done, accepted and settled."""
