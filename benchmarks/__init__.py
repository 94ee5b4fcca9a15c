"""Measures the console beside the raw floor of the same machine in the same run: `make bench`."""
