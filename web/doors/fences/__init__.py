"""Fences: editions, drawn and made, in and out of files, approved, followed."""
