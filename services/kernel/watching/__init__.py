"""What stands against places, counted by region for those who supervise: indicators over ledgers, declared in ``watch.py``."""
