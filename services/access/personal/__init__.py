"""A resident and his data: what he agreed to, what is kept of him, taking it away, and having it erased."""
