"""The key and signature service of a cloud platform: our client, and a simulator that speaks the same contract."""
