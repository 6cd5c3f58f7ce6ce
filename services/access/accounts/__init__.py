"""Accounts and what they may do: made, stopped, given roles by staff; roles lent to colleagues by their holders."""
