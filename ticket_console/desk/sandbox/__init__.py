"""Branches of the live plan: dragged about freely, reckoned beside it, and committed as ordinary commands."""
