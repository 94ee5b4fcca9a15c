"""The flow graph: node kinds, guards, validation, versions and diff. Pure but for its tables."""
