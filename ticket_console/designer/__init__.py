"""Canvas, palette and inspector for flows and forms, with the React parts beside their Python wrappers."""
