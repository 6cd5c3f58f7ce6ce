"""Rules that staff keep: decision tables by region and day, what they decided, and trials of drafts over that history."""
