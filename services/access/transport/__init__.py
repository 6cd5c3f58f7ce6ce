"""Sealed transport: requests and answers inside a session of the gateway, and which paths ask for it."""
