"""Rule sets at the desk: versions, tables, trials."""
