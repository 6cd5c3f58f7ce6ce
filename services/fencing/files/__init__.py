"""Fences in and out of files: a row-by-row report first, then one act on the draft; written out again in any format and datum."""
