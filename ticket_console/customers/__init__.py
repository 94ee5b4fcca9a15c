"""Customers, their contacts and channel identities, and their assets, orders, agreements and projects."""
