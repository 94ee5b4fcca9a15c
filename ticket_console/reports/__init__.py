"""Metrics, each defined once, and the charts drawn from them."""
