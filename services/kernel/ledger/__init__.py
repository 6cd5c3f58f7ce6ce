"""Ledgers: one way to list, search, map, open, export and print the rows of any declared model."""
