"""What pages of every part use: what was typed, who asks, files sent and taken along, jobs in words, help."""
