"""Signing in: by password or through providers, the second step, limits of sessions, lockout."""
