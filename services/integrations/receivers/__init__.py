"""Receivers of platforms: addresses of theirs that we post events to, signed, each until it was taken."""
