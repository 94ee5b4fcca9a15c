"""The demo company, built through the commands with a fixed clock and seed, and its simulator."""
