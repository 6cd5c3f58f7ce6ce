"""Drawn areas in and out of files: formats, datums told, guessed and doubted, shapes judged, files written."""
