"""The form designer as a component: it holds the document of one draft, and tells gestures."""
