"""Assembly of the HTTP API: routers, errors, callers."""
