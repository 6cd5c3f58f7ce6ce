"""Administrative regions: identity, versions, succession, editions and the regions at a point."""
