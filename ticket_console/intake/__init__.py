"""How requests come in: the raw log and one module per channel. Every path ends in `desk.opening`."""
