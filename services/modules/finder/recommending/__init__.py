"""Recommending places to families that agreed to it: what they state and did, an explained order, and withdrawal at once."""
