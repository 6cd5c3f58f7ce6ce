"""Advice for elders: the points where it is given, the advisers who give it, what they did, and points that are short of them."""
