"""Integrity at work: one check over programs, rights, logs and secrets, its report, and the alarm when something was altered."""
