"""Connections to systems of others: one HTTP client, and for each system its contract, a client and a simulator."""
