"""The channels by which families come to us: apps of the city, official accounts, shared screens, paper; never who came."""
