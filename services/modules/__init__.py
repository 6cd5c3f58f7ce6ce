"""Business modules: declarations first, code second; none imports another."""
