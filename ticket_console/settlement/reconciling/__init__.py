"""Reconciliation: our books beside the file of whoever we owe, line by line."""
