"""Subjects that move: platforms say what they follow and report positions; what happens at fences is told exactly once."""
