"""Declared sources become drafts, drafts get a report, and a report is published in one act; every row keeps its source."""
