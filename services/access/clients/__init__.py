"""Platforms of others that call us: what each may ask, from where, how often, and a record of every call."""
