"""The short-message gateway of the city's data centre: its contract, our client, and a simulator that speaks the same."""
