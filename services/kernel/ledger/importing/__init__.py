"""Spreadsheets into ledgers: template, header, check, rows mended in place, and one act that writes them."""
