"""One small Reflex State per screen concern. It calls commands and reads and holds what its screen shows."""
