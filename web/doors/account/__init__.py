"""Accounts, platforms that call us, a resident's own data, and how somebody wants to read."""
