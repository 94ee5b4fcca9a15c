"""Branches of the live plan: lanes of people to drag in, and their figures beside the live ones."""
