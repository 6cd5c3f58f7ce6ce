"""The city at work: who is asking, facilities, the kernel and the business modules."""
