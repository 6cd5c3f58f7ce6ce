"""Workbooks of districts on their way into a draft: read apart, columns known by words, rows mended, one act that writes."""
