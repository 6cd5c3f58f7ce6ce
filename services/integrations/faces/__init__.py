"""A service that compares faces with those it knows: its contract, our client, and a simulator that speaks the same."""
