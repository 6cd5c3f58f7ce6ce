"""Messages: declared events, texts by channel, region and entry, in-app messages, and an outbox of short messages."""
