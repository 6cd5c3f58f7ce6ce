"""入园: which kindergarten an address belongs to, and why."""
