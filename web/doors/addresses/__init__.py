"""Addresses: the desk that keeps them, and the tools that convert and standardise."""
