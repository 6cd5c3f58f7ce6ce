"""Names found while somebody types: what was typed, how names sound, where a name holds it, and in what order they come. Pure."""
