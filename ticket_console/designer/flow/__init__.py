"""The flow designer: the canvas, and the screen around it."""
