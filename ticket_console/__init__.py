"""A console for field-service tickets: requests become work orders, are dispatched, done and settled."""
