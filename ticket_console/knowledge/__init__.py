"""Manuals and standards with their versions, articles written from closed tickets, and search."""
