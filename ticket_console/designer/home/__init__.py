"""The designer's first page as components: all forms and flows, and how they travel."""
