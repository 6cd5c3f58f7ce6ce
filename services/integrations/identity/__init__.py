"""Who signs in through systems of others: OpenID Connect, and the ticket exchanges of government apps by declared field maps."""
