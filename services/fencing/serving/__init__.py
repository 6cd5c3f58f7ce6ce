"""Fences answered over HTTP: lists, one with its versions, and which of them hold positions and addresses."""
