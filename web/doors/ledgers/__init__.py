"""Ledgers at the desk, and spreadsheets into them."""
