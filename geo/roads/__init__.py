"""Road segments as published, and their closures."""
