"""Messages, short messages, notices, knowledge."""
