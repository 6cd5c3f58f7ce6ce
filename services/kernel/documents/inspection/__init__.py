"""The content of a strange file, looked at in a process apart: what it is, whether it is whole, and whether it does anything."""
