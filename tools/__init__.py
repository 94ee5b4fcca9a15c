"""What developers and `make` run: building the front end, pinning dependencies, replaying real requests."""
